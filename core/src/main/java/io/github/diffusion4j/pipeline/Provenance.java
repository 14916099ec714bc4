package io.github.diffusion4j.pipeline;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Control;
import io.github.diffusion4j.Decoding;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.ImagePrompt;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.TextOptions;
import io.github.diffusion4j.image.A1111Parameters;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.image.Png;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.task.Pictures;
import io.github.diffusion4j.task.Variation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How pictures were made: enough to paint them again. Written into PNG files as JSON, beside the
 * text that the web UIs write and read.
 *
 * @param request the request with nothing left open
 * @param model name of the model
 * @param scheduler the solver
 * @param execution how it was carried out
 */
public record Provenance(
    GenerationRequest request, String model, Scheduler scheduler, Execution execution) {

  /**
   * How a request was carried out.
   *
   * @param runtime what computed
   * @param timings where the time went
   * @param decoding how the latents were decoded
   * @param safety what the safety checker said
   */
  public record Execution(String runtime, Timings timings, Decoding decoding, SafetyReport safety) {

    /** Checks that nothing is missing. */
    public Execution {
      requireNonNull(runtime, "runtime");
      requireNonNull(timings, "timings");
      requireNonNull(decoding, "decoding");
      requireNonNull(safety, "safety");
    }
  }

  /**
   * Where the time of a generation went.
   *
   * @param encode from the request to the initial latents
   * @param denoise the denoising loop
   * @param decode the autoencoder
   */
  public record Timings(Duration encode, Duration denoise, Duration decode) {

    /**
     * All of it.
     *
     * @return the sum
     */
    public Duration total() {
      return encode.plus(denoise).plus(decode);
    }
  }

  /**
   * What computed.
   *
   * @return such as {@code ONNX Runtime 1.29.0, cpu}
   */
  public String runtime() {
    return execution.runtime();
  }

  /**
   * Where the time went.
   *
   * @return by parts
   */
  public Timings timings() {
    return execution.timings();
  }

  /**
   * What the safety checker said.
   *
   * @return of each picture
   */
  public SafetyReport safety() {
    return execution.safety();
  }

  /**
   * The provenance of one picture. Where each picture has a seed of its own, it is as if the
   * picture had been painted alone; where the noise of all was drawn by one seed, or turned
   * together by a variation, the whole request is kept.
   *
   * @param index of the picture
   * @return with a request for this picture, where it can stand alone
   */
  public Provenance ofImage(int index) {
    boolean ownSeeds = request.seeds().size() == request.images();
    if (request.images() == 1 || !ownSeeds || request.init() instanceof Variation) {
      return this;
    }
    return new Provenance(
        alone(index),
        model,
        scheduler,
        new Execution(
            runtime(), timings(), execution.decoding().ofImage(index), safety().ofImage(index)));
  }

  /** The request of one picture: of what was given for each, its own. */
  private GenerationRequest alone(int index) {
    TextOptions text = request.text();
    GenerationRequestBuilder alone =
        GenerationRequest.prompt(request.promptOfEachImage().get(index))
            .like(request)
            .negativePrompt(request.negativePromptOfEachImage().get(index))
            .text(
                text.withPrompts2(own(text.prompts2(), index), own(text.negativePrompts2(), index))
                    .withPrompts3(own(text.prompts3(), index), own(text.negativePrompts3(), index)))
            .seed(request.seeds().get(index));
    request.imagePrompt().ifPresent(prompt -> alone.imagePrompt(own(prompt, index)));
    return alone.build();
  }

  private List<String> own(List<String> texts, int index) {
    return texts.isEmpty() ? texts : List.of(request.ofEachImage(texts).get(index));
  }

  private ImagePrompt own(ImagePrompt prompt, int index) {
    int count = prompt.pictures().count();
    return count == 1
        ? prompt
        : new ImagePrompt(
            Pictures.of(prompt.pictures().images().get(index * count / request.images())),
            prompt.scale());
  }

  /**
   * The record of one picture as JSON.
   *
   * @param index of the picture
   * @return one line
   */
  public String toJson(int index) {
    Provenance image = ofImage(index);
    return ProvenanceJson.write(image, image.request.images() == 1 ? 0 : index);
  }

  /**
   * The text that web UIs write into their pictures.
   *
   * @param index of the picture
   * @return prompt, negative prompt and settings
   */
  public A1111Parameters parameters(int index) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("Steps", ProvenanceJson.steps(request.plan().orElseThrow()));
    settings.put("Sampler", ProvenanceJson.schedulerName(scheduler));
    settings.put("CFG scale", plain(request.guidance().scale().orElseThrow()));
    long seed = request.seeds().get(Math.min(index, request.seeds().size() - 1));
    settings.put("Seed", Long.toString(seed));
    settings.put("Size", request.width().orElseThrow() + "x" + request.height().orElseThrow());
    settings.put("Model", model);
    Map<String, Object> task = request.init().description();
    copy(task, "strength", settings, "Denoising strength");
    copy(task, "variation_strength", settings, "Variation seed strength");
    GuidanceJson.settings(request.guidance(), settings);
    request.eta().ifPresent(eta -> settings.put("Eta", plain(eta)));
    FeatureReuse reuse = request.featureReuse();
    if (reuse.isOn()) {
      settings.put("Feature reuse", reuse.interval() + ", branch " + reuse.branch());
    }
    settings.putAll(controls());
    settings.put("RNG", request.noiseKind().label());
    settings.put("Version", ProvenanceJson.generator());
    return new A1111Parameters(
        request.promptOfEachImage().get(index) + LoraJson.tags(request.loras()),
        request.negativePrompts().isEmpty() ? "" : request.negativePromptOfEachImage().get(index),
        settings);
  }

  /** As the web UI's ControlNet extension writes them. */
  private Map<String, String> controls() {
    Map<String, String> settings = new LinkedHashMap<>();
    for (int i = 0; i < request.controls().list().size(); i++) {
      Control control = request.controls().list().get(i);
      settings.put(
          "ControlNet " + i,
          "Model: %s, Weight: %s, Guidance Start: %s, Guidance End: %s, Control Mode: %s"
              .formatted(
                  control.net().isEmpty() ? "None" : control.net(),
                  plain(control.scale()),
                  plain(control.start()),
                  plain(control.end()),
                  request.controls().guessMode() ? "ControlNet is more important" : "Balanced"));
    }
    return settings;
  }

  private static void copy(
      Map<String, Object> task, String key, Map<String, String> settings, String name) {
    if (task.get(key) instanceof Double value) {
      settings.put(name, plain(value));
    }
  }

  static String plain(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  /**
   * The texts of a picture's file.
   *
   * @param index of the picture
   * @return by keyword
   */
  public Map<String, String> texts(int index) {
    return Map.of(Png.PARAMETERS, parameters(index).format(), Png.PROVENANCE, toJson(index));
  }

  /**
   * Reads back the request that painted a picture.
   *
   * @param picture a PNG or JPEG file that this library wrote
   * @return the request; it paints the same picture with the same model
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if it holds no request, or one that cannot be read
   */
  public static GenerationRequest readRequest(Path picture) throws IOException {
    Optional<String> json = Optional.ofNullable(PictureFile.readTexts(picture).get(Png.PROVENANCE));
    return ProvenanceJson.request(
        json.orElseThrow(
            () ->
                new ModelFormatException(
                    picture
                        + ": no text \""
                        + Png.PROVENANCE
                        + "\" in this picture; only pictures painted by this library say how")));
  }

  /**
   * The index of a picture among those that its request paints.
   *
   * @param picture a PNG or JPEG file that this library wrote
   * @return 0 for the first
   * @throws IOException if the file cannot be read
   */
  public static int readIndex(Path picture) throws IOException {
    return ProvenanceJson.index(PictureFile.readTexts(picture).getOrDefault(Png.PROVENANCE, "{}"));
  }
}
