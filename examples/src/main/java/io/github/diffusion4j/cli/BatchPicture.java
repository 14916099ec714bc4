package io.github.diffusion4j.cli;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A picture of a batch file.
 *
 * @param job what to paint
 * @param line of the batch file, from 1
 * @param picture of the line, from 1
 * @param options what was given for it beside prompt and seed, by name
 * @param target its file, where that is known before it is painted
 */
record BatchPicture(
    Job job, int line, int picture, Map<String, String> options, Optional<Path> target) {

  /** Copies the options, in the order of their names. */
  BatchPicture {
    options = Collections.unmodifiableMap(new TreeMap<>(options));
  }
}
