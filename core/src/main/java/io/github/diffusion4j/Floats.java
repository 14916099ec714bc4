package io.github.diffusion4j;

import java.util.Arrays;

/** An immutable array of floats, compared by value. */
public final class Floats {

  private final float[] values;

  private Floats(float[] values) {
    this.values = values;
  }

  /**
   * Copies an array.
   *
   * @param values copied
   * @return the values
   */
  public static Floats of(float... values) {
    return new Floats(values.clone());
  }

  /**
   * The values.
   *
   * @return a copy
   */
  public float[] toArray() {
    return values.clone();
  }

  /**
   * Number of values.
   *
   * @return at least 0
   */
  public int length() {
    return values.length;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Floats floats && Arrays.equals(values, floats.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return values.length + " floats";
  }
}
