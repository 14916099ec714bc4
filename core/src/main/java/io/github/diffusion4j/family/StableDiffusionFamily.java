package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.FamilyRules;
import io.github.diffusion4j.LowResolution;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.scheduler.NoiseSchedule;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.TrainedScheduler;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerFormatException;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Stable Diffusion 1.x and 2.x, and any latent diffusion model of their form (Rombach et al. 2022,
 * arXiv 2112.10752): one CLIP text encoder, a UNet with cross-attention, an autoencoder.
 */
final class StableDiffusionFamily implements ModelFamily {

  private static final Map<String, Kind> PIPELINES =
      Map.ofEntries(
          Map.entry("StableDiffusionPipeline", Kind.ORDINARY),
          Map.entry("OnnxStableDiffusionPipeline", Kind.ORDINARY),
          Map.entry("ORTStableDiffusionPipeline", Kind.ORDINARY),
          Map.entry("StableDiffusionImg2ImgPipeline", Kind.ORDINARY),
          Map.entry("OnnxStableDiffusionImg2ImgPipeline", Kind.ORDINARY),
          Map.entry("ORTStableDiffusionImg2ImgPipeline", Kind.ORDINARY),
          Map.entry("StableDiffusionInpaintPipeline", Kind.INPAINTING),
          Map.entry("OnnxStableDiffusionInpaintPipeline", Kind.INPAINTING),
          Map.entry("ORTStableDiffusionInpaintPipeline", Kind.INPAINTING),
          Map.entry("StableDiffusionInstructPix2PixPipeline", Kind.INSTRUCTED),
          Map.entry("StableDiffusionUpscalePipeline", Kind.UPSCALING),
          Map.entry("OnnxStableDiffusionUpscalePipeline", Kind.UPSCALING));
  private static final String HIDDEN = "encoder_hidden_states";

  /** What else the UNet takes beside the latents, and the reference's defaults. */
  private enum Kind {
    ORDINARY(ModelFacts.DEFAULT_STEPS, ModelFacts.DEFAULT_GUIDANCE_SCALE),
    INPAINTING(ModelFacts.DEFAULT_STEPS, ModelFacts.DEFAULT_GUIDANCE_SCALE),
    INSTRUCTED(100, ModelFacts.DEFAULT_GUIDANCE_SCALE),
    UPSCALING(75, 9);

    private final int steps;
    private final double guidanceScale;

    Kind(int steps, double guidanceScale) {
      this.steps = steps;
      this.guidanceScale = guidanceScale;
    }

    /** Channels that a UNet of this kind has where its input does not say. */
    int extraChannels(int latentChannels) {
      return switch (this) {
        case ORDINARY -> 0;
        case INPAINTING -> latentChannels + 1;
        case INSTRUCTED -> latentChannels;
        case UPSCALING -> 3;
      };
    }

    /** An inpainting pipeline may also have an ordinary UNet. */
    boolean takes(int extra, int latentChannels) {
      return extra == extraChannels(latentChannels) || this == INPAINTING && extra == 0;
    }
  }

  @Override
  public String name() {
    return "stable-diffusion";
  }

  @Override
  public boolean matches(ModelLayout layout) {
    return PIPELINES.containsKey(layout.pipelineClass());
  }

  @Override
  public Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException {
    Kind kind = PIPELINES.get(layout.pipelineClass());
    try (Closer open = new Closer()) {
      Map<String, OrtModel> models =
          runtime.open(
              layout.withOptional(
                  layout.onnxFiles("text_encoder", "unet", "vae_decoder"), "vae_encoder"),
              open);
      Tokenizer tokenizer = open.own(tokenizer(layout));
      ClipPromptEncoder encoder =
          new ClipPromptEncoder(new ClipTextEncoder(tokenizer, models.get("text_encoder")));
      OrtLatentCodec codec = new OrtLatentCodec(models, layout.config("vae_decoder"));
      OrtDenoiserModel unet = unet(layout, models.get("unet"), kind, codec);
      checkAgreement(layout, encoder, unet, codec);
      return new Stages(
          encoder,
          unet,
          codec,
          kind == Kind.UPSCALING ? upscaling(layout) : FamilyRules.DEFAULT,
          facts(layout, unet, codec, kind),
          open.release());
    }
  }

  private static OrtDenoiserModel unet(
      ModelLayout layout, OrtModel unet, Kind kind, OrtLatentCodec codec) {
    int latents = codec.latentChannels();
    TensorSpec sample = unet.input("sample");
    int declared = sample.rank() == 4 ? (int) sample.dim(1) : -1;
    int channels =
        declared > 0
            ? declared
            : layout
                .config("unet")
                .positive("in_channels")
                .orElse(latents + kind.extraChannels(latents));
    if (!kind.takes(channels - latents, latents)) {
      throw new ModelFormatException(
          "%s: unet input %s has %d channels, but the autoencoder's latents have %d, and a %s takes %d; a UNet with more inputs (inpainting, pix2pix, upscaler) is another kind of model"
              .formatted(
                  layout.folder(),
                  sample,
                  channels,
                  latents,
                  layout.pipelineClass(),
                  latents + kind.extraChannels(latents)));
    }
    Set<String> conditions =
        kind == Kind.UPSCALING ? Set.of(HIDDEN, "class_labels") : Set.of(HIDDEN);
    return new OrtDenoiserModel(unet, "sample", conditions, channels - latents);
  }

  /** An upscaler noises its picture by a schedule of its own. */
  private static FamilyRules upscaling(ModelLayout layout) {
    ConfigFile file = layout.config("low_res_scheduler", "scheduler_config.json");
    if (!file.present()) {
      throw new ModelFormatException(layout.folder() + ": " + file.name() + " is missing");
    }
    TrainedScheduler scheduler =
        (TrainedScheduler)
            checked(layout, file, config -> Schedulers.fromConfig(config, "DDIMScheduler"));
    NoiseSchedule schedule = scheduler.noiseSchedule();
    int most = layout.index().integer("max_noise_level").orElse(350);
    Optional<LowResolution> lowResolution =
        Optional.of(new LowResolution(schedule, Math.min(most, schedule.trainSteps() - 1)));
    return new FamilyRules() {
      @Override
      public Optional<LowResolution> lowResolution() {
        return lowResolution;
      }
    };
  }

  private static Tokenizer tokenizer(ModelLayout layout) throws IOException {
    int positions = layout.config("text_encoder").positive("max_position_embeddings").orElse(77);
    try {
      return Tokenizers.load(layout.folder().resolve("tokenizer"), positions);
    } catch (TokenizerFormatException e) {
      throw new ModelFormatException(e.getMessage(), e);
    }
  }

  private static void checkAgreement(
      ModelLayout layout, ClipPromptEncoder encoder, OrtDenoiserModel unet, OrtLatentCodec codec) {
    long width = unet.condition(HIDDEN).dim(2);
    if (width > 0 && encoder.width() > 0 && width != encoder.width()) {
      throw new ModelFormatException(
          "%s: unet input %s is %d wide, but the text encoder gives embeddings %d wide; the components belong to different models"
              .formatted(layout.folder(), unet.condition(HIDDEN), width, encoder.width()));
    }
    for (int axis = 2; axis < 4; axis++) {
      long cells = unet.sample().dim(axis);
      long decoded = codec.latents().dim(axis);
      if (cells > 0 && decoded > 0 && cells != decoded) {
        throw new ModelFormatException(
            "%s: unet input %s and vae_decoder input %s have different fixed sizes"
                .formatted(layout.folder(), unet.sample(), codec.latents()));
      }
    }
  }

  private static ModelFacts facts(
      ModelLayout layout, OrtDenoiserModel unet, OrtLatentCodec codec, Kind kind) {
    TensorSpec sample = unet.sample();
    boolean fixed = sample.dim(2) > 0 && sample.dim(3) > 0;
    ConfigFile generation = layout.generation();
    ConfigFile config = layout.config("unet");
    int height = fixed ? (int) sample.dim(2) : cells(config, 0);
    int width = fixed ? (int) sample.dim(3) : cells(config, 1);
    return new ModelFacts(
        layout.name(),
        "stable-diffusion",
        generation.positive("width").orElse(width * codec.factor()),
        generation.positive("height").orElse(height * codec.factor()),
        generation.positive("num_inference_steps").orElse(kind.steps),
        generation.number("guidance_scale").orElse(kind.guidanceScale),
        fixed,
        schedulerConfig(layout));
  }

  /** Checked here, so that a model with an unknown solver is refused when it is opened. */
  private static Map<String, Object> schedulerConfig(ModelLayout layout) {
    ConfigFile file = layout.scheduler();
    checked(layout, file, Schedulers::fromConfig);
    return file.toMap();
  }

  private static Scheduler checked(
      ModelLayout layout, ConfigFile file, Function<Map<String, Object>, Scheduler> reading) {
    try {
      return reading.apply(file.toMap());
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          layout.folder() + ": " + file.name() + ": " + e.getMessage(), e);
    }
  }

  /** sample_size is one number, or height and width. */
  private static int cells(ConfigFile config, int axis) {
    JsonNode size = config.value("sample_size").orElse(null);
    if (size != null && size.isArray()) {
      JsonNode cells = size.path(axis);
      if (!cells.canConvertToInt() || cells.intValue() < 1) {
        throw config.wrong("sample_size", "a positive integer or two", size);
      }
      return cells.intValue();
    }
    return config.positive("sample_size").orElse(64);
  }
}
