package io.github.diffusion4j.cli;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;

/**
 * The seeds asked for: none, the first, or one for each picture.
 *
 * @param seeds as given
 * @param count pictures asked for
 */
record SeedChoice(List<Long> seeds, OptionalInt count) {

  /** Copies the list. */
  SeedChoice {
    seeds = List.copyOf(seeds);
    if (count.isPresent() && count.getAsInt() < 1) {
      throw new IllegalArgumentException("--count must be at least 1, got " + count.getAsInt());
    }
  }

  /** Whether nothing is asked for. */
  boolean isEmpty() {
    return seeds.isEmpty() && count.isEmpty();
  }

  /** This choice, with what it leaves open taken from another. */
  SeedChoice over(SeedChoice other) {
    return new SeedChoice(
        seeds.isEmpty() ? other.seeds : seeds, count.isPresent() ? count : other.count);
  }

  /** A seed for each picture, the first one from elsewhere where none is given. */
  List<Long> list(LongSupplier first) {
    int pictures = count.orElse(Math.max(1, seeds.size()));
    if (seeds.size() > 1 && seeds.size() != pictures) {
      throw new IllegalArgumentException(
          "expected one seed, or one for each of the "
              + pictures
              + " pictures, got "
              + seeds.size());
    }
    if (seeds.size() == pictures) {
      return seeds;
    }
    long start = seeds.isEmpty() ? first.getAsLong() : seeds.get(0);
    return LongStream.range(0, pictures).map(k -> start + k).boxed().toList();
  }
}
