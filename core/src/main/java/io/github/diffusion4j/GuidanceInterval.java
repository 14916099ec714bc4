package io.github.diffusion4j;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The part of a generation that is guided, in fractions of its evaluations; beside it the denoiser
 * is asked for the prompt alone, which takes half the time (Kynkäänniemi et al. 2024, arXiv
 * 2404.07724).
 *
 * @param start first guided evaluation, as a fraction from 0 to below 1
 * @param stop end of the guided evaluations, as a fraction from {@code start} to 1
 */
public record GuidanceInterval(double start, double stop) {

  /** All evaluations. */
  public static final GuidanceInterval ALWAYS = new GuidanceInterval(0, 1);

  /** Checks the ranges. */
  public GuidanceInterval {
    if (!(start >= 0 && start < 1)) {
      throw new IllegalArgumentException(
          "start of the guidance interval must be in [0, 1), got " + start);
    }
    if (!(stop >= start && stop <= 1)) {
      throw new IllegalArgumentException(
          "end of the guidance interval must be in [" + start + ", 1], got " + stop);
    }
  }

  /**
   * Reads two numbers with a comma between them.
   *
   * @param text such as {@code 0.2,0.8}
   * @return the interval
   * @throws IllegalArgumentException if it is none
   */
  public static GuidanceInterval of(String text) {
    String[] parts = text.split(",", -1);
    if (parts.length != 2) {
      throw new IllegalArgumentException(
          "guidance interval must be START,END such as 0.2,0.8, got \"" + text + "\"");
    }
    return new GuidanceInterval(
        NamedNumbers.number("guidance interval", parts[0]),
        NamedNumbers.number("guidance interval", parts[1]));
  }

  /**
   * Whether an evaluation is guided. Both ends are rounded down to whole evaluations.
   *
   * @param evaluation from 0
   * @param evaluations of the generation
   * @return true from the start on and before the end
   */
  public boolean holds(int evaluation, int evaluations) {
    return evaluation >= (int) (start * evaluations) && evaluation < (int) (stop * evaluations);
  }

  /** How many of so many branches each evaluation needs: all, or the prompt's alone. */
  List<Integer> branches(int branches, int evaluations) {
    return IntStream.range(0, evaluations)
        .mapToObj(i -> holds(i, evaluations) ? branches : 1)
        .toList();
  }

  /**
   * What {@link #of} reads.
   *
   * @return both numbers with a comma between them
   */
  public String label() {
    return start + "," + stop;
  }
}
