package io.github.diffusion4j.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The layers of a diffusion transformer in the original layouts of Stable Diffusion 3 ({@code
 * joint_blocks}) and FLUX ({@code double_blocks}, {@code single_blocks}): some are several of
 * diffusers' layers, one below the other.
 */
public final class TransformerLayers {

  /**
   * A layer of the original layout.
   *
   * @param parts diffusers' layers whose rows, one after the other, are this one's
   * @param swapped whether the halves of this one's rows are the other way round: shift and scale
   */
  public record Original(List<String> parts, boolean swapped) {
    /** Copies the list. */
    public Original {
      parts = List.copyOf(parts);
    }
  }

  private static final String NORM = "adaLN_modulation.1";
  private static final List<String> PICTURE = List.of("attn.to_q", "attn.to_k", "attn.to_v");
  private static final List<String> TEXT =
      List.of("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj");
  private static final List<String> ALONE = List.of("attn2.to_q", "attn2.to_k", "attn2.to_v");
  private static final List<String> SINGLE =
      List.of("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp");

  private final Set<String> layers;
  private final Map<String, Original> found = new LinkedHashMap<>();

  private TransformerLayers(Set<String> layers) {
    this.layers = layers;
  }

  /**
   * Names in the original layouts.
   *
   * @param layers all layers of a transformer under diffusers' names
   * @return by the original name, where all parts of the layer are there; empty for other networks
   */
  public static Map<String, Original> of(Set<String> layers) {
    TransformerLayers names = new TransformerLayers(layers);
    for (int i = 0; layers.contains("transformer_blocks." + i + ".attn.to_q"); i++) {
      names.joint("joint_blocks." + i + ".", "transformer_blocks." + i + ".");
      names.twofold("double_blocks." + i + ".", "transformer_blocks." + i + ".");
    }
    for (int i = 0; layers.contains("single_transformer_blocks." + i + ".attn.to_q"); i++) {
      names.single("single_blocks." + i + ".", "single_transformer_blocks." + i + ".");
    }
    if (!names.found.isEmpty()) {
      names.around();
    }
    return names.found;
  }

  private void joint(String original, String block) {
    String picture = original + "x_block.";
    String text = original + "context_block.";
    boolean last = !layers.contains(block + "attn.to_add_out"); // its text has no gates
    put(picture + "attn.qkv", block, PICTURE);
    put(picture + "attn.proj", block, "attn.to_out.0");
    put(picture + "attn2.qkv", block, ALONE);
    put(picture + "attn2.proj", block, "attn2.to_out.0");
    put(picture + NORM, block, "norm1.linear");
    put(picture + "mlp.fc1", block, "ff.net.0.proj");
    put(picture + "mlp.fc2", block, "ff.net.2");
    put(text + "attn.qkv", block, TEXT);
    put(text + "attn.proj", block, "attn.to_add_out");
    put(text + NORM, new Original(List.of(block + "norm1_context.linear"), last));
    put(text + "mlp.fc1", block, "ff_context.net.0.proj");
    put(text + "mlp.fc2", block, "ff_context.net.2");
  }

  private void twofold(String original, String block) {
    put(original + "img_attn.qkv", block, PICTURE);
    put(original + "img_attn.proj", block, "attn.to_out.0");
    put(original + "img_mod.lin", block, "norm1.linear");
    put(original + "img_mlp.0", block, "ff.net.0.proj");
    put(original + "img_mlp.2", block, "ff.net.2");
    put(original + "txt_attn.qkv", block, TEXT);
    put(original + "txt_attn.proj", block, "attn.to_add_out");
    put(original + "txt_mod.lin", block, "norm1_context.linear");
    put(original + "txt_mlp.0", block, "ff_context.net.0.proj");
    put(original + "txt_mlp.2", block, "ff_context.net.2");
  }

  private void single(String original, String block) {
    put(original + "linear1", block, SINGLE);
    put(original + "qkv", block, PICTURE); // its first rows
    put(original + "linear2", block, "proj_out");
    put(original + "modulation.lin", block, "norm.linear");
  }

  private void around() {
    put("x_embedder.proj", "", "pos_embed.proj");
    put("img_in", "", "x_embedder");
    put("txt_in", "", "context_embedder");
    String embedding = "time_text_embed.";
    embedder("t_embedder.mlp.0", "t_embedder.mlp.2", embedding + "timestep_embedder");
    embedder("y_embedder.mlp.0", "y_embedder.mlp.2", embedding + "text_embedder");
    embedder("time_in.in_layer", "time_in.out_layer", embedding + "timestep_embedder");
    embedder("vector_in.in_layer", "vector_in.out_layer", embedding + "text_embedder");
    embedder("guidance_in.in_layer", "guidance_in.out_layer", embedding + "guidance_embedder");
    put("final_layer.linear", "", "proj_out");
    put("final_layer." + NORM, new Original(List.of("norm_out.linear"), true));
  }

  private void embedder(String first, String second, String name) {
    put(first, "", name + ".linear_1");
    put(second, "", name + ".linear_2");
  }

  private void put(String original, String block, String part) {
    put(original, block, List.of(part));
  }

  private void put(String original, String block, List<String> parts) {
    put(original, new Original(parts.stream().map(part -> block + part).toList(), false));
  }

  private void put(String name, Original original) {
    if (layers.containsAll(original.parts)) {
      found.put(name, original);
    }
  }
}
