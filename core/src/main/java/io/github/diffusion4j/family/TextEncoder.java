package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.tokenizer.TokenIds;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.LongBuffer;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** One text encoder, CLIP or T5, with its tokenizer, keeping its results. Thread-safe. */
final class TextEncoder {

  private static final System.Logger LOG = System.getLogger(TextEncoder.class.getName());

  /** Characters of a cut text that a warning names. */
  private static final int NAMED = 300;

  private static final String BIAS = "diffusion4j.attention_bias";

  /** What a result depends on. */
  private record Key(LongBuffer ids, BitSet unseen, Outputs outputs, LoraSet loras) {

    /** Names the LoRAs without their changes, which the cache would keep in memory. */
    Key {
      loras = new LoraSet(loras.loras(), loras.versions(), Map.of());
    }
  }

  /** Which outputs to take: hidden states, and perhaps the pooled embedding. */
  record Outputs(String hidden, Optional<String> pooled) {
    static Outputs hidden(String name) {
      return new Outputs(name, Optional.empty());
    }
  }

  private final Tokenizer tokenizer;
  private final OrtModel model;
  private final LoraSet loras;
  private final FeatureCache<Key> cache;
  private final TensorSpec ids;

  /** Checks that the network takes ids and nothing else. */
  TextEncoder(Tokenizer tokenizer, OrtModel model) {
    this.tokenizer = tokenizer;
    this.model = model;
    this.loras = LoraSet.NONE;
    this.cache = new FeatureCache<>(model.options().promptCacheBytes());
    this.ids =
        model.require(
            model.input("input_ids"), Set.of(ElementType.INT64, ElementType.INT32), Set.of(2));
    model.requireNoOtherInputs(Set.of(ids.name()));
  }

  /** Checks also that the network takes the tokenizer's own number of ids, as CLIP does. */
  static TextEncoder ofTokenizersLength(Tokenizer tokenizer, OrtModel model) {
    TextEncoder encoder = new TextEncoder(tokenizer, model);
    if (encoder.fixedLength().orElse(tokenizer.maxLength()) != tokenizer.maxLength()) {
      throw new ModelFormatException(
          "%s: input %s takes %d tokens, but the tokenizer gives %d"
              .formatted(
                  model.component(), encoder.ids, encoder.ids.dim(1), tokenizer.maxLength()));
    }
    return encoder;
  }

  private TextEncoder(TextEncoder other, LoraSet loras) {
    tokenizer = other.tokenizer;
    model = other.model;
    cache = other.cache;
    ids = other.ids;
    this.loras = loras;
  }

  /** This encoder changed by LoRAs; it shares what is kept with this one. */
  TextEncoder with(LoraSet changes) {
    return changes.of(model.component()).isEmpty() ? this : new TextEncoder(this, changes);
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  OrtModel model() {
    return model;
  }

  /** The only number of ids that the network takes, where it was exported for one. */
  OptionalInt fixedLength() {
    return ids.dim(1) > 0 ? OptionalInt.of((int) ids.dim(1)) : OptionalInt.empty();
  }

  /** An output of hidden states, which must be there: [batch, tokens, width]. */
  TensorSpec hidden(String name) {
    return model.require(model.output(name), ElementType.FLOATS, Set.of(3));
  }

  /** An output of one embedding for the whole text, which must be there: [batch, width]. */
  TensorSpec pooled(String name) {
    return model.require(model.output(name), ElementType.FLOATS, Set.of(2));
  }

  /** The tokens of a prompt, cut to the tokenizer's length with a warning that says so. */
  TokenIds tokens(String prompt) {
    return tokens(prompt, tokenizer.maxLength());
  }

  /** The tokens of a prompt, cut or padded to a length, with a warning if something is cut. */
  TokenIds tokens(String prompt, int length) {
    TokenIds tokens = tokenizer.encode(prompt, length);
    warnOfCut(tokens.cutText().isEmpty() ? List.of() : List.of(tokens.cutText()));
    return tokens;
  }

  /** Names what a text encoder does not read, shortened where it is very long. */
  static void warnOfCut(List<String> texts) {
    for (String text : texts) {
      LOG.log(
          System.Logger.Level.WARNING,
          "a prompt is longer than what the text encoder reads at once; not painted: \"{0}\"",
          text.length() <= NAMED ? text : text.substring(0, NAMED) + "…");
    }
  }

  /**
   * Runs the network on one sequence, unless its result is kept from before.
   *
   * @param tokens as many ids as the network takes
   * @param hidden the output of hidden states to take
   * @param pooled the output of the pooled embedding to take
   */
  TextFeatures encode(long[] tokens, String hidden, Optional<String> pooled, CancelToken cancel) {
    return encode(tokens, new BitSet(), new Outputs(hidden, pooled), cancel);
  }

  /**
   * Runs the network on one sequence of which some tokens are not seen by the others, unless its
   * result is kept from before.
   *
   * @param tokens as many ids as the tokenizer's length
   * @param unseen positions of the tokens that are not seen
   * @param outputs the outputs to take
   */
  TextFeatures encode(long[] tokens, BitSet unseen, Outputs outputs, CancelToken cancel) {
    Key key = new Key(LongBuffer.wrap(tokens.clone()), (BitSet) unseen.clone(), outputs, loras);
    return cache.get(key, cancel, () -> run(network(!unseen.isEmpty()), key, cancel));
  }

  /** How often the network ran. */
  long runs() {
    return cache.computed();
  }

  /** The network, with an input for what is not seen where something is not. */
  private ChangedNetwork network(boolean masks) {
    ChangedNetwork network = ChangedNetwork.of(model, loras);
    try {
      return masks ? network.edited(new GraphEdit.AttentionBias(BIAS)) : network;
    } catch (IOException e) {
      throw new InferenceException(model.component(), "cannot be opened to hide tokens", e);
    }
  }

  private TextFeatures run(ChangedNetwork network, Key key, CancelToken cancel) {
    Set<String> outputs = new LinkedHashSet<>(Set.of(key.outputs.hidden));
    key.outputs.pooled.ifPresent(outputs::add);
    long[] tokens = key.ids.array();
    try (OrtBinding binding = network.bind(cancel)) {
      binding.input(ids.name(), 1, tokens.length).put(tokens);
      if (!key.unseen.isEmpty()) {
        float[] bias = new float[tokens.length];
        key.unseen.stream().forEach(position -> bias[position] = -Float.MAX_VALUE);
        binding.input(BIAS, tokens.length).put(bias);
      }
      Map<String, OrtOutput> values = binding.fetch(outputs);
      OrtOutput states = values.get(key.outputs.hidden);
      return new TextFeatures(
          states.values(),
          states.dim(1),
          states.dim(2),
          key.outputs.pooled.map(name -> values.get(name).values()).orElse(new float[0]));
    }
  }
}
