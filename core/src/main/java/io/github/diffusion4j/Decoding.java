package io.github.diffusion4j;

import java.util.List;

/**
 * How latents were decoded to pictures, where that shows in their numbers.
 *
 * @param tiles tiles of each picture; 1 where it was decoded as a whole
 * @param widened indices of pictures that overflowed 16-bit floats and were decoded again in 32-bit
 *     ones
 * @param damaged indices of pictures that hold NaN or infinite values all the same
 */
public record Decoding(int tiles, List<Integer> widened, List<Integer> damaged) {

  /** As a whole, and sound. */
  public static final Decoding WHOLE = new Decoding(1, List.of(), List.of());

  /** Checks the number and copies the lists. */
  public Decoding {
    if (tiles < 1) {
      throw new IllegalArgumentException("tiles must be at least 1, got " + tiles);
    }
    widened = List.copyOf(widened);
    damaged = List.copyOf(damaged);
  }

  /**
   * How one picture was decoded.
   *
   * @param index of the picture
   * @return as if it were the only one, picture 0
   */
  public Decoding ofImage(int index) {
    return new Decoding(tiles, only(widened, index), only(damaged, index));
  }

  private static List<Integer> only(List<Integer> indices, int index) {
    return indices.contains(index) ? List.of(0) : List.of();
  }
}
