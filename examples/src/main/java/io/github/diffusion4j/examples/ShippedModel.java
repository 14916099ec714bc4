package io.github.diffusion4j.examples;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Map;

/** Finds the small model that ships with the examples. */
public final class ShippedModel {

  /** System property with a model's folder; wins over everything. */
  public static final String PROPERTY = "diffusion4j.model";

  /** Environment variable with a model's folder. */
  public static final String VARIABLE = "DIFFUSION4J_MODEL";

  private static final String RESOURCE = "/models/emoji-ldm/model_index.json";

  private ShippedModel() {}

  /**
   * The model's folder: what {@value #PROPERTY} or {@value #VARIABLE} say, else the copy on the
   * class path. A copy inside a jar is a path of a zip file system, which stays open.
   *
   * @return a folder for {@code StableDiffusionPipeline.load}
   * @throws IOException if the class path has no copy
   */
  public static Path path() throws IOException {
    String told = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    if (told != null && !told.isBlank()) {
      return Path.of(told);
    }
    URL index = ShippedModel.class.getResource(RESOURCE);
    if (index == null) {
      throw new FileNotFoundException(
          "the class path has no " + RESOURCE + "; name a model's folder with -D" + PROPERTY);
    }
    try {
      return folderOf(index.toURI());
    } catch (URISyntaxException e) {
      throw new IOException(index + " is not a location that can be opened", e);
    }
  }

  private static Path folderOf(URI index) throws IOException {
    if (index.getScheme().equals("jar")) {
      try {
        FileSystems.newFileSystem(index, Map.of());
      } catch (FileSystemAlreadyExistsException e) {
        // Opened by an earlier call; Path.of finds it.
      }
    }
    return Path.of(index).getParent();
  }
}
