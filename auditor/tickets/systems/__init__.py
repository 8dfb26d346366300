"""One small module per ticket system, behind `base.System`."""
