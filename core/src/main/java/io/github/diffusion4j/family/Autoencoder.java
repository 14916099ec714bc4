package io.github.diffusion4j.family;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentPreview;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An autoencoder by itself, such as the tiny one (AutoencoderTiny, TAESD) that shows previews of a
 * generation:
 *
 * <pre>{@code
 * try (var tiny = Autoencoder.load(Path.of("taesd"), RuntimeOptions.defaults())) {
 *   pipeline.generate(request, new PreviewListener(5, tiny, images -> show(images.get(0))));
 * }
 * }</pre>
 *
 * <p>In a model's folder, as its vae_decoder, it needs nothing of this. Thread-safe, but not to be
 * closed while it is used.
 */
public final class Autoencoder implements LatentCodec, LatentPreview, AutoCloseable {

  private static final String DECODER = "vae_decoder";
  private static final String ENCODER = "vae_encoder";

  private final OrtLatentCodec codec;
  private final Closer owned;

  private Autoencoder(OrtLatentCodec codec, Closer owned) {
    this.codec = codec;
    this.owned = owned;
  }

  /**
   * Opens an autoencoder.
   *
   * @param folder has vae_decoder/model.onnx and vae_decoder/config.json, and
   *     vae_encoder/model.onnx where pictures are to be encoded; or vae/config.json and weights, or
   *     these two by themselves
   * @param options provider, threads and memory
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is missing or not what it should be
   */
  public static Autoencoder load(Path folder, RuntimeOptions options) throws IOException {
    requireNonNull(folder, "folder");
    ComponentNetwork decoder =
        ComponentNetwork.find(folder, DECODER)
            .orElseThrow(() -> ComponentNetwork.missing(folder, DECODER));
    Optional<ComponentNetwork> encoder = ComponentNetwork.find(folder, ENCODER);
    OrtRuntime runtime = OrtRuntime.of(requireNonNull(options, "options"));
    try (Closer open = new Closer()) {
      Map<String, OrtModel> networks = new HashMap<>();
      networks.put(DECODER, open.own(decoder.open(runtime, List.of())));
      if (encoder.isPresent()) {
        networks.put(ENCODER, open.own(encoder.get().openWhenNeeded(runtime, List.of())));
      }
      ConfigFile config =
          ConfigFile.read(folder, ComponentNetwork.place(folder, DECODER) + "/config.json");
      return new Autoencoder(new OrtLatentCodec(networks, config), open.release());
    }
  }

  @Override
  public int factor() {
    return codec.factor();
  }

  @Override
  public int latentChannels() {
    return codec.latentChannels();
  }

  @Override
  public ImageTensor decode(float[] latents, LatentShape shape, CancelToken cancel) {
    return codec.decode(latents, shape, cancel);
  }

  @Override
  public ImageTensor preview(float[] latents, LatentShape shape) {
    return decode(latents, shape, new CancelToken());
  }

  @Override
  public boolean encodes() {
    return codec.encodes();
  }

  @Override
  public LatentDistribution encode(ImageTensor images, CancelToken cancel) {
    return codec.encode(images, cancel);
  }

  @Override
  public void scale(float[] latents, LatentShape shape) {
    codec.scale(latents, shape);
  }

  @Override
  public long decodeBytes(int width, int height) {
    return codec.decodeBytes(width, height);
  }

  @Override
  public void close() {
    owned.close();
  }
}
