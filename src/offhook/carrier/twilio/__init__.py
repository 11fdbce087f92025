"""Twilio: Media Streams as a protocol, the TwiML that opens them, and the proofs that it is really Twilio."""
