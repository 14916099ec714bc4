package io.github.diffusion4j.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A short name for what a model's files hold, quick to find also where they hold gigabytes: a hash
 * of small files' bytes; of large ones the size, the time of the last change, and blocks from the
 * first byte to the last. So a file that was exchanged, or changed by an ordinary program, is seen.
 */
final class ModelFingerprint {

  private static final int BLOCK = 1 << 16;
  private static final int BLOCKS = 64;
  private static final int HASH_BYTES = 16;

  private final MessageDigest digest;

  private ModelFingerprint() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * The name of a network and of what else its sessions depend on.
   *
   * @param model an ONNX file
   * @param settings hashed too
   */
  static String of(Path model, List<String> settings) throws IOException {
    ModelFingerprint fingerprint = new ModelFingerprint();
    settings.forEach(fingerprint::add);
    List<Path> files = new ArrayList<>(List.of(model));
    files.addAll(OnnxFile.read(model).externalFiles());
    return fingerprint.of(files);
  }

  /**
   * The name of a network that is built.
   *
   * @param model all its weights are in files
   * @param settings hashed too
   */
  static String of(BuiltModel model, List<String> settings) throws IOException {
    ModelFingerprint fingerprint = new ModelFingerprint();
    settings.forEach(fingerprint::add);
    fingerprint.digest.update(model.bytes());
    return fingerprint.of(OnnxFile.of(model, "model.onnx").externalFiles());
  }

  private String of(List<Path> files) throws IOException {
    for (Path file : files) {
      add(file.getFileName().toString());
      add(file);
    }
    return HexFormat.of().formatHex(digest.digest(), 0, HASH_BYTES);
  }

  private void add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
    digest.update(bytes);
  }

  private void add(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      add(Long.toString(size));
      boolean whole = size <= (long) BLOCK * BLOCKS;
      if (!whole) {
        add(Files.getLastModifiedTime(file).toString());
      }
      long blocks = whole ? (size + BLOCK - 1) / BLOCK : BLOCKS;
      ByteBuffer buffer = ByteBuffer.allocate(BLOCK);
      for (long i = 0; i < blocks; i++) {
        long from = whole ? i * BLOCK : (size - BLOCK) / (BLOCKS - 1) * i;
        channel.position(i == blocks - 1 && !whole ? size - BLOCK : from);
        buffer.clear();
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
          continue;
        }
        digest.update(buffer.flip());
      }
    }
  }
}
