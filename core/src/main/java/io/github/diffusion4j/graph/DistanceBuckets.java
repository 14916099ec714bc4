package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;

/**
 * Which distances between tokens share an attention bias in T5 (Raffel et al. 2019, arXiv
 * 1910.10683, section 2.1): small ones have their own, larger ones share it by their logarithm.
 *
 * @param buckets number of biases, half of them for tokens after, half for those before
 * @param farthest distance from which all share the last one
 */
record DistanceBuckets(int buckets, int farthest) {

  private static final int FARTHEST = 1 << 16;

  DistanceBuckets {
    if (buckets < 4 || buckets % 2 != 0 || farthest <= buckets / 4 || farthest > FARTHEST) {
      throw new io.github.diffusion4j.ModelFormatException(
          "relative_attention_num_buckets must be even and at least 4, found %d; relative_attention_max_distance over a quarter of it and at most %d, found %d"
              .formatted(buckets, FARTHEST, farthest));
    }
  }

  /** The bucket of a distance, positive for tokens after. */
  int of(int distance) {
    int half = buckets / 2;
    int own = half / 2;
    int far = Math.abs(distance);
    int bucket = far;
    if (far >= own) {
      float share = (float) Math.log((float) far / own) / (float) Math.log((double) farthest / own);
      bucket = Math.min(half - 1, own + (int) (share * (half - own)));
    }
    return distance > 0 ? half + bucket : bucket;
  }

  /** The buckets of all distances from -farthest to farthest. */
  Value table(Graph graph) {
    long[] all = new long[2 * farthest + 1];
    for (int i = 0; i < all.length; i++) {
      all[i] = of(i - farthest);
    }
    return graph.constant(all);
  }

  /** Where distances are in the table. */
  Value index(Value distance) {
    Graph graph = distance.graph();
    return graph
        .node("Clip")
        .in(distance)
        .in(graph.scalar(-farthest, ElementType.INT64), graph.scalar(farthest, ElementType.INT64))
        .out(ElementType.INT64, distance.shape())
        .plus(farthest);
  }
}
