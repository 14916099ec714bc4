package io.github.diffusion4j.graph;

/**
 * Scaled dot-product attention of several heads (Vaswani et al. 2017, arXiv 1706.03762).
 *
 * @param heads divides the width
 * @param scale of the scores, usually one by the root of a head's width
 */
public record Attention(int heads, double scale) {

  /** Checks the number of heads. */
  public Attention {
    if (heads < 1 || !(scale > 0)) {
      throw new IllegalArgumentException(
          "heads must be at least 1 and scale positive, got " + heads + " and " + scale);
    }
  }

  /**
   * Attention with the usual scale.
   *
   * @param heads divides the width
   * @param width of the queries, all heads together
   * @return scale one by the root of a head's width
   */
  public static Attention of(int heads, long width) {
    return new Attention(heads, 1 / Math.sqrt((double) width / heads));
  }

  /**
   * What the queries find, without a mask.
   *
   * @param query [batch, tokens, width]
   * @param key [batch, others, width]
   * @param value [batch, others, width]
   * @return [batch, tokens, width]
   */
  public Value apply(Value query, Value key, Value value) {
    if (!query.graph().options().fusedAttention()) {
      return merge(attend(split(query), split(key), split(value)), value);
    }
    return query
        .graph()
        .node("MultiHeadAttention")
        .microsoft()
        .in(query, key, value)
        .with("num_heads", heads)
        .with("scale", (float) scale)
        .out(query.type(), query.dim(0), query.dim(1), value.dim(2));
  }

  /**
   * What the queries find, with something added to the scores.
   *
   * @param query [batch, tokens, width]
   * @param key [batch, others, width]
   * @param value [batch, others, width]
   * @param bias broadcasts to [batch, heads, tokens, others]
   * @return [batch, tokens, width]
   */
  public Value apply(Value query, Value key, Value value, Value bias) {
    Value scores = scores(split(query), split(key)).plus(bias);
    return merge(scores.softmax().matmul(split(value)), value);
  }

  private Value attend(Value query, Value key, Value value) {
    return scores(query, key).softmax().matmul(value);
  }

  private Value scores(Value query, Value key) {
    return query.times(scale).matmul(key.transpose(0, 1, 3, 2));
  }

  /** [batch, tokens, width] to [batch, heads, tokens, width / heads]. */
  private Value split(Value x) {
    return x.reshape(0, 0, heads, x.dim(2) / heads).transpose(0, 2, 1, 3);
  }

  private Value merge(Value x, Value value) {
    return x.transpose(0, 2, 1, 3).reshape(0, 0, value.dim(2));
  }
}
