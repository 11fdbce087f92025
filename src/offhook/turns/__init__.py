"""Who has the floor: two small machines and a joint table."""
