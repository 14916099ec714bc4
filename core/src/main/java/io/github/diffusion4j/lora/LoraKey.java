package io.github.diffusion4j.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a LoRA's tensor says.
 *
 * @param component such as {@code unet} or {@code text_encoder_2}
 * @param layer the changed layer, with underscores in place of dots
 * @param part what the tensor is of the change
 */
record LoraKey(String component, String layer, Part part) {

  /** The tensors of one change. */
  enum Part {
    /** The first matrix, [rank, in]. */
    DOWN,
    /** The second matrix, [out, rank]. */
    UP,
    /** A convolution between them, [rank, rank, height, width]. */
    MIDDLE,
    /** A number whose quotient by the rank is a factor of the change. */
    ALPHA
  }

  private static final Map<Part, Pattern> ENDINGS = endings();

  /** Beginnings and what they stand for; the longer ones first. */
  private static final Map<String, String> COMPONENTS = components();

  /** In older files of diffusers changes are named after the object that computed them. */
  private static final Pattern PROCESSOR =
      Pattern.compile("(.*)[._]processor[._](to_[qkv]|to_out)_lora");

  /** The same, of text encoders. */
  private static final Pattern TEXT_PROCESSOR =
      Pattern.compile("(.*[._]self_attn)[._]to_([qkv]|out)_lora");

  /** The same, of FLUX in its original layout; number 1 is the picture's, 2 the text's. */
  private static final Pattern FLUX_PROCESSOR =
      Pattern.compile("(.*(?:double|single)_blocks\\.\\d+)\\.processor\\.(qkv|proj)_lora([12]?)");

  private static final Pattern BARE =
      Pattern.compile(
          "(down_blocks|mid_block|up_blocks|conv_in|conv_out|time_embedding"
              + "|(single_)?transformer_blocks|(joint|double|single)_blocks)[._].*");

  /** Layers of transformers, which many programs call a UNet, too. */
  private static final Pattern OF_TRANSFORMER =
      Pattern.compile(
          "((single_)?transformer_blocks|(joint|double|single)_blocks|(img|txt|time|vector|guidance)_in"
              + "|final_layer|(x|t|y|context)_embedder)(_.*)?");

  /** Parts of other kinds of changes. */
  private static final Map<Pattern, String> OTHERS = others();

  private static Map<Part, Pattern> endings() {
    Map<Part, Pattern> endings = new LinkedHashMap<>();
    String weight = "(?:\\.[A-Za-z0-9_-]+)?(?:\\.weight)?"; // peft may name an adapter between
    endings.put(Part.ALPHA, Pattern.compile("(.+)\\.alpha"));
    endings.put(Part.MIDDLE, Pattern.compile("(.+)\\.lora_mid" + weight));
    endings.put(
        Part.DOWN,
        Pattern.compile(
            "(.+?)(?:\\.lora_down|\\.lora_A|\\.lora(?:_linear_layer)?\\.down|(?<=_lora[12]?)\\.down)"
                + weight));
    endings.put(
        Part.UP,
        Pattern.compile(
            "(.+?)(?:\\.lora_up|\\.lora_B|\\.lora(?:_linear_layer)?\\.up|(?<=_lora[12]?)\\.up)"
                + weight));
    return endings;
  }

  private static Map<String, String> components() {
    Map<String, String> components = new LinkedHashMap<>();
    components.put("lora_unet_", "unet");
    components.put("lora_te1_", "text_encoder");
    components.put("lora_te2_", "text_encoder_2");
    components.put("lora_te3_", "text_encoder_3");
    components.put("lora_te_", "text_encoder");
    components.put("lora_transformer_", "transformer");
    components.put("lycoris_", "unet");
    components.put("unet.", "unet");
    components.put("diffusion_model.", "unet");
    components.put("transformer.", "transformer");
    components.put("text_encoder_2.", "text_encoder_2");
    components.put("text_encoder_3.", "text_encoder_3");
    components.put("text_encoder.", "text_encoder");
    return components;
  }

  private static Map<Pattern, String> others() {
    Map<Pattern, String> others = new LinkedHashMap<>();
    others.put(Pattern.compile(".*(\\.dora_scale|\\.lora_magnitude_vector)(\\..*)?"), "DoRA");
    others.put(Pattern.compile(".*\\.hada_.*"), "LoHa");
    others.put(Pattern.compile(".*\\.lokr_.*"), "LoKr");
    others.put(Pattern.compile(".*\\.(oft_.*|boft_.*)"), "OFT");
    others.put(Pattern.compile(".*\\.([abc][12]\\.weight|glora_.*)"), "GLoRA");
    others.put(Pattern.compile(".*\\.(diff|diff_b|set_weight|w_norm|b_norm)"), "full differences");
    others.put(Pattern.compile(".*\\.(lora_B|lora_up)\\.bias"), "LoRA with biases");
    others.put(Pattern.compile(".*\\.scalar"), "LoRA with learned scales");
    others.put(Pattern.compile("bundle_emb\\..*"), "LoRA with words of textual inversion");
    return others;
  }

  /** The kind of change, where a tensor belongs to one that is not a LoRA; else empty. */
  static Optional<String> otherKind(String name) {
    return OTHERS.entrySet().stream()
        .filter(other -> other.getKey().matcher(name).matches())
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** Reads a name; empty if it is none of a LoRA. */
  static Optional<LoraKey> of(String name) {
    for (Map.Entry<Part, Pattern> ending : ENDINGS.entrySet()) {
      Matcher matcher = ending.getValue().matcher(name);
      if (matcher.matches()) {
        return of(matcher.group(1).replaceFirst("^base_model\\.model\\.", ""), ending.getKey());
      }
    }
    return Optional.empty();
  }

  private static Optional<LoraKey> of(String place, Part part) {
    String module = layer(place);
    for (Map.Entry<String, String> component : COMPONENTS.entrySet()) {
      if (module.startsWith(component.getKey())) {
        String layer = underscored(module.substring(component.getKey().length()));
        return Optional.of(new LoraKey(denoiser(component.getValue(), layer), layer, part));
      }
    }
    String layer = underscored(module);
    return BARE.matcher(module).matches()
        ? Optional.of(new LoraKey(denoiser("unet", layer), layer, part))
        : Optional.empty();
  }

  /** The layer, where a change is named after the object that computed it. */
  private static String layer(String place) {
    Matcher processor = PROCESSOR.matcher(place);
    if (processor.matches()) {
      String layer = processor.group(2);
      return processor.group(1) + "." + (layer.equals("to_out") ? "to_out.0" : layer);
    }
    Matcher text = TEXT_PROCESSOR.matcher(place);
    if (text.matches()) {
      return text.group(1) + "." + text.group(2) + "_proj";
    }
    Matcher flux = FLUX_PROCESSOR.matcher(place);
    if (flux.matches()) {
      boolean projects = flux.group(2).equals("proj");
      String layer =
          switch (flux.group(3)) {
            case "1" -> "img_attn." + flux.group(2);
            case "2" -> "txt_attn." + flux.group(2);
            default -> projects ? "linear2" : "qkv";
          };
      return flux.group(1) + "." + layer;
    }
    return place;
  }

  private static String denoiser(String component, String layer) {
    boolean transformer = component.equals("unet") && OF_TRANSFORMER.matcher(layer).matches();
    return transformer ? "transformer" : component;
  }

  /** A layer's name as kohya's scripts write it. */
  static String underscored(String module) {
    return module.replace('.', '_');
  }

  /** For messages. */
  static List<String> beginnings() {
    return List.copyOf(COMPONENTS.keySet());
  }
}
