package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.FeedForward.feedForward;
import static io.github.diffusion4j.graph.Linear.linear;

/**
 * A block of a multimodal diffusion transformer (Esser et al. 2024, arXiv 2403.03206), as diffusers
 * names its layers.
 *
 * @param attention of both streams
 * @param last whether no block follows that needs the text
 * @param dual whether the picture has a second attention for itself
 */
record JointBlock(JointAttention attention, boolean last, boolean dual) {

  private static final String ACTIVATION = "gelu-approximate";

  /** Text and picture between two blocks. */
  record Streams(Value text, Value picture) {}

  /** Both streams after this block. The text stays as it was in the last block. */
  Streams apply(Scope module, Streams in, Value conditioning) {
    Modulation ofPicture = Modulation.of(module.at("norm1"), conditioning, dual ? 9 : 6);
    Modulation ofText = Modulation.of(module.at("norm1_context"), conditioning, last ? 2 : 6);
    Value picture = ofPicture.normalize(in.picture, 0, 1);
    Value text = last ? ofText.normalize(in.text, 1, 0) : ofText.normalize(in.text, 0, 1);
    Scope layers = module.at("attn");
    JointAttention.Found found = attention.apply(layers, text, picture);
    Value seen = out(layers.at("to_out.0"), found.picture());
    Value painted = ofPicture.add(in.picture, seen, 2);
    if (dual) {
      Value alone = attention.apply(module.at("attn2"), ofPicture.normalize(in.picture, 6, 7));
      painted = ofPicture.add(painted, out(module.at("attn2.to_out.0"), alone), 8);
    }
    painted = forward(module.at("ff"), painted, ofPicture);
    if (last) {
      return new Streams(in.text, painted);
    }
    Value read = ofText.add(in.text, out(layers.at("to_add_out"), found.text()), 2);
    return new Streams(forward(module.at("ff_context"), read, ofText), painted);
  }

  private static Value forward(Scope module, Value x, Modulation modulation) {
    return modulation.add(x, feedForward(module, modulation.normalize(x, 3, 4), ACTIVATION), 5);
  }

  private static Value out(Scope module, Value x) {
    return linear(module, x, x.dim(2));
  }
}
