"""DCA: buy in parts, on a schedule, on drops, or down a ladder with a take-profit above."""
