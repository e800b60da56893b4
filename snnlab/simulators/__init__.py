"""Run a spiking network, and see what it did: its output over time, where it errs, what it costs."""
