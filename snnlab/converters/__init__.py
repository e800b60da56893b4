"""How an ANN becomes a spiking network: its graph, the choices a method makes, the methods, the grid it runs on."""
