package io.github.diffusion4j.family;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.Residency;
import java.util.List;

/**
 * A way to spend memory on a generation.
 *
 * @param residency ALL or ON_DEMAND
 * @param batching how guidance's branches run
 * @param tiled whether the autoencoder works on tiles of {@value #TILE} pixels
 */
public record MemoryPlan(Residency residency, BranchBatching batching, boolean tiled) {

  /** Side of the tiles that plans count with, in pixels. */
  public static final int TILE = 256;

  /** From the fastest to the one that takes least; only the last ones change pictures a little. */
  public static final List<MemoryPlan> ALL =
      List.of(
          new MemoryPlan(Residency.ALL, BranchBatching.TOGETHER, false),
          new MemoryPlan(Residency.ALL, BranchBatching.ONE_BY_ONE, false),
          new MemoryPlan(Residency.ON_DEMAND, BranchBatching.TOGETHER, false),
          new MemoryPlan(Residency.ON_DEMAND, BranchBatching.ONE_BY_ONE, false),
          new MemoryPlan(Residency.ALL, BranchBatching.TOGETHER, true),
          new MemoryPlan(Residency.ALL, BranchBatching.ONE_BY_ONE, true),
          new MemoryPlan(Residency.ON_DEMAND, BranchBatching.TOGETHER, true),
          new MemoryPlan(Residency.ON_DEMAND, BranchBatching.ONE_BY_ONE, true));

  /** Checks that nothing is left open. */
  public MemoryPlan {
    requireNonNull(batching, "batching");
    if (requireNonNull(residency, "residency") == Residency.AUTO) {
      throw new IllegalArgumentException("residency must be ALL or ON_DEMAND, got AUTO");
    }
  }

  @Override
  public String toString() {
    return (residency == Residency.ALL ? "all networks resident" : "networks on demand")
        + (batching == BranchBatching.TOGETHER ? "" : ", guidance branch by branch")
        + (tiled ? ", decoded in tiles" : "");
  }
}
