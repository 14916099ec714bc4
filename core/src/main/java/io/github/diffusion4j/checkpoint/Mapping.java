package io.github.diffusion4j.checkpoint;

import java.util.Map;

/** How one network of a checkpoint reads in diffusers' layout. */
interface Mapping {

  /** Every tensor of the network under diffusers' name; fails on a tensor that has none. */
  Map<String, MappedTensor> tensors();

  /** What the shapes tell of the configuration, under diffusers' keys. */
  Map<String, Object> config();
}
