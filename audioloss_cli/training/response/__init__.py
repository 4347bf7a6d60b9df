"""What is done about an alert: actions, announcements, checkpoints to go back to."""
