package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.GenerationRequestBuilder;
import io.github.diffusion4j.LongPrompts;
import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.PromptWeighting;
import io.github.diffusion4j.SizeConditioning;
import io.github.diffusion4j.TextOptions;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * What a model is told beside the prompts, as JSON under the names of diffusers' arguments: texts
 * of further encoders, sizes.
 */
final class ConditioningJson {

  private static final String NEGATIVE = "negative_";
  private static final String CLIP_SKIP = "clip_skip";
  private static final String LENGTH = "max_sequence_length";
  private static final String ORIGINAL = "original_size";
  private static final String CROP = "crops_coords_top_left";
  private static final String TARGET = "target_size";
  private static final String SCORE = "aesthetic_score";

  private static final String SYNTAX = "prompt_syntax";
  private static final String WEIGHTING = "prompt_weighting";
  private static final String LONG = "long_prompts";
  private static final String EMBEDDINGS = "prompt_embeds";

  private ConditioningJson() {}

  /** Writes what differs from the default. */
  static void write(ObjectNode root, GenerationRequest request) {
    TextOptions text = request.text();
    text.clipSkip().ifPresent(layers -> root.put(CLIP_SKIP, layers));
    text.maxSequenceLength().ifPresent(tokens -> root.put(LENGTH, tokens));
    put(root, "prompt_2", text.prompts2());
    put(root, "negative_prompt_2", text.negativePrompts2());
    put(root, "prompt_3", text.prompts3());
    put(root, "negative_prompt_3", text.negativePrompts3());
    if (!text.prompt().equals(PromptOptions.PLAIN)) {
      root.put(SYNTAX, text.prompt().syntax().label());
      root.put(WEIGHTING, text.prompt().weighting().name());
      root.put(LONG, text.prompt().longPrompts().name());
    }
    text.embeddings().ifPresent(given -> root.put(EMBEDDINGS, "given"));
    SizeConditioning usual = SizeConditioning.DEFAULT;
    write(root, "", request.sizes().prompt(), usual.prompt());
    write(root, NEGATIVE, request.sizes().negative(), usual.negative());
  }

  private static void put(ObjectNode root, String key, List<String> texts) {
    if (!texts.isEmpty()) {
      ArrayNode node = root.putArray(key);
      texts.forEach(node::add);
    }
  }

  private static void write(
      ObjectNode root, String prefix, SizeConditioning.Sizes sizes, SizeConditioning.Sizes usual) {
    put(root, prefix + ORIGINAL, sizes.original());
    if (!sizes.crop().equals(usual.crop())) {
      root.putArray(prefix + CROP).add(sizes.crop().top()).add(sizes.crop().left());
    }
    put(root, prefix + TARGET, sizes.target());
    if (sizes.aestheticScore() != usual.aestheticScore()) {
      root.put(prefix + SCORE, sizes.aestheticScore());
    }
  }

  private static void put(ObjectNode root, String key, Optional<SizeConditioning.Size> size) {
    size.ifPresent(given -> root.putArray(key).add(given.height()).add(given.width()));
  }

  /** Reads what {@link #write} wrote. */
  static void read(JsonNode root, GenerationRequestBuilder builder) {
    TextOptions text =
        TextOptions.DEFAULT
            .withPrompts2(texts(root.path("prompt_2")), texts(root.path("negative_prompt_2")))
            .withPrompts3(texts(root.path("prompt_3")), texts(root.path("negative_prompt_3")));
    if (root.has(CLIP_SKIP)) {
      text = text.withClipSkip(root.path(CLIP_SKIP).asInt());
    }
    if (root.has(LENGTH)) {
      text = text.withMaxSequenceLength(root.path(LENGTH).asInt());
    }
    if (root.has(EMBEDDINGS)) {
      throw new IllegalArgumentException(
          "the picture was painted from given embeddings, which it does not hold");
    }
    if (root.has(SYNTAX)) {
      text =
          text.withPrompt(
              new PromptOptions(
                  PromptSyntax.of(root.path(SYNTAX).asText()),
                  PromptWeighting.valueOf(root.path(WEIGHTING).asText()),
                  LongPrompts.valueOf(root.path(LONG).asText())));
    }
    builder.text(text);
    SizeConditioning usual = SizeConditioning.DEFAULT;
    builder.sizes(
        new SizeConditioning(
            read(root, "", usual.prompt()), read(root, NEGATIVE, usual.negative())));
  }

  private static SizeConditioning.Sizes read(
      JsonNode root, String prefix, SizeConditioning.Sizes usual) {
    SizeConditioning.Sizes sizes = usual;
    if (root.has(prefix + ORIGINAL)) {
      JsonNode size = root.path(prefix + ORIGINAL);
      sizes = sizes.withOriginal(size.path(1).asInt(), size.path(0).asInt());
    }
    if (root.has(prefix + CROP)) {
      JsonNode crop = root.path(prefix + CROP);
      sizes = sizes.withCrop(crop.path(0).asInt(), crop.path(1).asInt());
    }
    if (root.has(prefix + TARGET)) {
      JsonNode size = root.path(prefix + TARGET);
      sizes = sizes.withTarget(size.path(1).asInt(), size.path(0).asInt());
    }
    return root.has(prefix + SCORE)
        ? sizes.withAestheticScore(root.path(prefix + SCORE).asDouble())
        : sizes;
  }

  private static List<String> texts(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false).map(JsonNode::asText).toList();
  }
}
