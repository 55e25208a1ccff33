"""How good placement is: executed makespans on public task graphs, beside list schedulers."""
