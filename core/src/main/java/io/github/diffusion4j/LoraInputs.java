package io.github.diffusion4j;

/** When networks that are built here get inputs for the LoRAs of requests. */
public enum LoraInputs {
  /**
   * {@link #ALWAYS} on the processor, for networks of many millions of parameters that compute in
   * 32 bits; {@link #ON_DEMAND} elsewhere, where inputs cost more than they save.
   */
  AUTO,
  /**
   * When the network is opened: a request with LoRAs opens nothing and takes no memory but theirs.
   * About a millisecond of an evaluation on the processor. Convolutions get theirs on demand.
   */
  ALWAYS,
  /**
   * With the first request that has LoRAs: the network is opened once more, beside the one for
   * requests without.
   */
  ON_DEMAND
}
