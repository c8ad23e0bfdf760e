"""What the service is measured against: each a program that announces its port as the service does."""
