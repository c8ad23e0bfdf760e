"""What can be said of people whose identity is known: pure, like the rules of identity below it."""
