"""What the end-to-end tests are written with: programs, channels, terminals."""
