package io.github.diffusion4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.pipeline.Provenance;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What a run has painted. Not thread-safe. */
final class Report {

  /**
   * One painted picture.
   *
   * @param job what was asked for
   * @param file where it is
   * @param width in pixels
   * @param height in pixels
   * @param provenance how it was made
   */
  record Picture(Job job, Path file, int width, int height, Provenance provenance) {

    /** The line that tells of it. */
    String line() {
      return String.format(
          Locale.ROOT,
          "%s  (seed %d, %dx%d, %s steps, %.1f s)%s",
          file,
          job.seed(),
          width,
          height,
          setting("Steps"),
          seconds(provenance.timings().total()),
          provenance.safety().isFlagged(job.image()) ? "  flagged by the safety checker" : "");
    }

    private String setting(String name) {
      return provenance.parameters(job.image()).settings().get(name);
    }
  }

  private final ModelFacts model;
  private final List<Picture> pictures = new ArrayList<>();
  private final List<BufferedImage> images = new ArrayList<>();
  private final ObjectNode together = JsonNodeFactory.instance.objectNode();

  Report(ModelFacts model) {
    this.model = model;
  }

  void add(Picture picture, List<BufferedImage> kept) {
    pictures.add(picture);
    images.addAll(kept);
  }

  void grid(Path file) {
    together.put("grid", file.toString());
  }

  /** Counts pictures of a batch file that were there already, and those that failed. */
  void batch(int skipped, int failed) {
    together.put("skipped", skipped).put("failed", failed);
  }

  void latents(Path file) {
    together.put("latents", file.toString());
  }

  Picture first() {
    return pictures.get(0);
  }

  List<BufferedImage> images() {
    return List.copyOf(images);
  }

  /** Texts for a file of latents; the same for the same pictures. */
  Map<String, String> metadata() {
    Map<String, String> texts = new TreeMap<>();
    texts.put("model", model.name());
    texts.put("scheduler", first().setting("Sampler"));
    texts.put("noise", first().provenance().request().noiseKind().label());
    texts.put(
        "prompt", joined("\n", pictures.stream().map(p -> p.job().prompt()).distinct().toList()));
    texts.put("seeds", joined(",", pictures.stream().map(p -> p.job().seed()).toList()));
    return texts;
  }

  private static String joined(String separator, List<?> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(separator));
  }

  /** The run as one line of JSON. */
  String json(double loadSeconds, double totalSeconds) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("model", model.name()).put("family", model.family());
    if (!pictures.isEmpty()) {
      GenerationRequest request = first().provenance().request();
      root.put("runtime", first().provenance().runtime());
      root.put("scheduler", first().setting("Sampler"));
      root.put("steps", Integer.parseInt(first().setting("Steps")));
      root.put("guidance_scale", request.guidance().scale().orElseThrow());
      root.put("noise", request.noiseKind().label());
    }
    root.putArray("pictures");
    pictures.forEach(picture -> root.withArray("pictures").add(json(picture)));
    root.setAll(together);
    root.put("load_seconds", rounded(loadSeconds)).put("total_seconds", rounded(totalSeconds));
    return root.toString();
  }

  private static ObjectNode json(Picture picture) {
    Provenance.Timings timings = picture.provenance().timings();
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("file", picture.file().toString()).put("prompt", picture.job().prompt());
    node.put("seed", picture.job().seed());
    node.put("width", picture.width()).put("height", picture.height());
    if (picture.provenance().safety().policy() != SafetyPolicy.OFF) {
      node.put("flagged", picture.provenance().safety().isFlagged(picture.job().image()));
    }
    node.putObject("seconds")
        .put("encode", rounded(seconds(timings.encode())))
        .put("denoise", rounded(seconds(timings.denoise())))
        .put("decode", rounded(seconds(timings.decode())));
    return node;
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static double rounded(double seconds) {
    return Math.round(seconds * 1e3) / 1e3;
  }
}
