package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import java.util.Map;

/** How one network of a checkpoint reads in diffusers' layout. */
interface Mapping {

  /** Every tensor of the network under diffusers' name; fails on a tensor that has none. */
  Map<String, Weight> weights();

  /** What the shapes tell of the configuration, under diffusers' keys. */
  Map<String, Object> config();
}
