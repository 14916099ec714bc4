package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linearWithoutBias;
import static io.github.diffusion4j.graph.Normalization.layerNorm;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;

/**
 * The image encoder of CLIP with the projection of its pooled output: patches of a picture of one
 * size, and before them a token of its own that becomes the pooled output.
 *
 * @param channels of the picture
 * @param size height and width of the picture in pixels
 * @param patch height and width of a patch in pixels
 * @param encoder the transformer
 * @param projection width of the projected pooled output
 */
record ClipVisionModel(int channels, int size, int patch, ClipEncoder encoder, int projection)
    implements Architecture {

  private static final String BATCH = "batch_size";
  private static final String MODULE = "vision_model.";

  /** What the encoder makes of pictures: the last states, and that of the first token. */
  record Seen(Value states, Value pooled) {}

  /** Reads config.json of the encoder by itself or of a model that has one. */
  static ClipVisionModel of(ConfigFile config) {
    ConfigFile own = own(config);
    ConfigValues values = new ConfigValues(own);
    int size = values.size("image_size", 224);
    int patch = values.size("patch_size", 32);
    if (patch > size) {
      throw own.wrong("patch_size", "at most image_size " + size, patch);
    }
    return new ClipVisionModel(
        values.size("num_channels", 3),
        size,
        patch,
        ClipEncoder.of(own, 768, 3072, 12),
        config.positive("projection_dim").orElse(512));
  }

  /** Old files have the encoder's part twice; the second then counts, as in the reference. */
  private static ConfigFile own(ConfigFile config) {
    for (String key : List.of("vision_config_dict", "vision_config")) {
      JsonNode part = config.value(key).orElse(null);
      if (part != null && !part.isObject()) {
        throw config.wrong(key, "an object", part);
      }
      if (part != null) {
        return new ConfigFile(config.name() + ": " + key, part);
      }
    }
    return config;
  }

  @Override
  public String presentName(String key) {
    return ClipEncoder.isOwn(key) ? MODULE + key : key;
  }

  @Override
  public boolean tolerates(String key) {
    return key.endsWith("position_ids")
        || key.equals("logit_scale")
        || key.startsWith("text_model.")
        || key.startsWith("text_projection.");
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    UNet.refuse(edits);
    Scope root = graph.root();
    Value pixels = pixels(graph, "pixel_values", BATCH);
    Seen seen = see(root.at("vision_model"), pixels);
    graph.output("image_embeds", project(root, seen.pooled), BATCH, projection);
    graph.output("last_hidden_state", seen.states, BATCH, tokens(), encoder.width());
  }

  /** The input for pictures. */
  Value pixels(Graph graph, String name, String batch) {
    return graph.input(name, graph.options().type(), batch, channels, size, size);
  }

  private long tokens() {
    long side = size / patch;
    return side * side + 1;
  }

  /** What the encoder's module makes of pictures. */
  Seen see(Scope module, Value pixels) {
    Value tokens = embed(module.at("embeddings"), pixels);
    Value first = layerNorm(module.at("pre_layrnorm"), tokens, encoder.epsilon()); // its real name
    List<Value> states = encoder.states(module.at("encoder"), first);
    Value last = states.get(encoder.layers());
    Value pooled = last.slice(1, 0, 1).reshape(0, encoder.width());
    return new Seen(last, layerNorm(module.at("post_layernorm"), pooled, encoder.epsilon()));
  }

  private Value embed(Scope module, Value pixels) {
    int width = encoder.width();
    Scope patches = module.at("patch_embedding");
    Value map =
        Convolution.node(
                pixels,
                patches.weight("weight", width, channels, patch, patch),
                new Convolution.Window(patch, patch, 0, 0))
            .out(pixels.type(), pixels.dim(0), width, size / patch, size / patch);
    Value seen = map.reshape(0, 0, -1).transpose(0, 2, 1).knownAs(Value.FREE, tokens() - 1, width);
    Graph graph = module.graph();
    Value token =
        module
            .weight("class_embedding", new long[] {width}, new long[] {1, 1, width})
            .expand(
                Value.concat(0, pixels.size(0), graph.constant(1, width)), Value.FREE, 1, width);
    Value places = module.weight("position_embedding.weight", tokens(), width);
    return Value.concat(1, token, seen).plus(places);
  }

  /** The pooled output in the space that CLIP's texts share. */
  Value project(Scope model, Value pooled) {
    return linearWithoutBias(model.at("visual_projection"), pooled, projection);
  }
}
