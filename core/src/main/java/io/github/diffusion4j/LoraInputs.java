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
   * About a millisecond of an evaluation on the processor. Convolutions and T5 get theirs on
   * demand.
   */
  ALWAYS,
  /**
   * With the first request whose LoRAs change the network: it is opened once more, beside the one
   * for requests without, and again in place of that where later LoRAs change further layers.
   */
  ON_DEMAND
}
