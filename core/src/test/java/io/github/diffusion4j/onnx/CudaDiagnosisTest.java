package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaDiagnosisTest {
  private static final String[] NEEDED = {
    "libcublasLt.so.12", "libcublas.so.12", "libcudart.so.12", "libcuda.so.1", "libc.so.6"
  };

  @TempDir Path root;
  private Path natives;
  private boolean asked;

  /** A machine with a driver, a C library and ONNX Runtime's GPU libraries, but no CUDA. */
  @BeforeEach
  void machineWithDriver() throws IOException {
    natives = root.resolve("natives");
    ElfBytes.write(provider(NativeArtifact.CUDA), NEEDED);
    ElfBytes.write(provider(NativeArtifact.TENSOR_RT), "libnvinfer.so.10", "libc.so.6");
    ElfBytes.write(root.resolve("lib64/libc.so.6"));
    ElfBytes.write(root.resolve("dev/nvidia0"));
    driver("535.104.05");
  }

  private void driver(String version) throws IOException {
    Path library = ElfBytes.write(root.resolve("usr/lib64/libcuda.so." + version), "libc.so.6");
    Path link = root.resolve("usr/lib64/libcuda.so.1");
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, library.getFileName());
  }

  private void cuda(String folder, int major) throws IOException {
    for (String name : List.of("libcublas", "libcudart")) {
      ElfBytes.write(root.resolve(folder).resolve(name + ".so." + major), "libc.so.6");
    }
    ElfBytes.write(root.resolve(folder).resolve("libcublasLt.so." + major), "libc.so.6");
  }

  private Path provider(String library) {
    return natives.resolve("lib" + library + ".so");
  }

  private CudaDiagnosis diagnosis(Map<String, String> environment) {
    Machine machine = new Machine(root, environment, new Platform("linux", "x64"));
    return new CudaDiagnosis(
        machine,
        new CudaDiagnosis.ProviderFiles() {
          @Override
          public boolean has(String library) {
            return Files.exists(provider(library));
          }

          @Override
          public Optional<Path> library(String library) {
            asked = true;
            return Optional.of(provider(library));
          }
        });
  }

  private String wrong(Map<String, String> environment) {
    return diagnosis(environment).cuda(false).orElse("nothing");
  }

  @Test
  void artifactWithoutCuda() throws IOException {
    Files.delete(provider(NativeArtifact.CUDA));
    assertEquals(
        "this ONNX Runtime was built without CUDA: depend on"
            + " com.microsoft.onnxruntime:onnxruntime_gpu in place of onnxruntime (Linux and"
            + " Windows on x64)",
        wrong(Map.of()));
  }

  @Test
  void noDriverIsSeenBeforeTheProviderIsUnpacked() throws IOException {
    Files.delete(root.resolve("dev/nvidia0"));
    Files.delete(root.resolve("usr/lib64/libcuda.so.1"));
    assertEquals("no NVIDIA driver is here: no /dev/nvidia0 and no libcuda.so.1", wrong(Map.of()));
    assertTrue(!asked);
  }

  @Test
  void deviceWithoutDriverLibrary() throws IOException {
    Files.delete(root.resolve("usr/lib64/libcuda.so.1"));
    assertTrue(wrong(Map.of()).contains("not its driver's libcuda.so.1"), wrong(Map.of()));
  }

  @Test
  void driverLibraryWithoutDevice() throws IOException {
    Files.delete(root.resolve("dev/nvidia0"));
    assertTrue(wrong(Map.of()).contains("no device /dev/nvidia0"), wrong(Map.of()));
    ElfBytes.write(root.resolve("dev/dxg"));
    assertTrue(wrong(Map.of()).startsWith("missing libraries"), wrong(Map.of()));
  }

  @Test
  void hiddenDevices() {
    assertEquals(
        "CUDA_VISIBLE_DEVICES=\"-1\" hides every NVIDIA device",
        wrong(Map.of("CUDA_VISIBLE_DEVICES", "-1")));
  }

  @Test
  void missingLibrariesAreNamed() {
    assertEquals(
        "missing libraries: it needs libcublasLt.so.12, libcublas.so.12, libcudart.so.12; install"
            + " CUDA 12, or add their folder to LD_LIBRARY_PATH",
        wrong(Map.of()));
  }

  @Test
  void otherMajorVersionIsNamed() throws IOException {
    cuda("usr/lib64", 13);
    ElfBytes.write(
        root.resolve("etc/ld.so.cache"),
        ElfBytes.loaderCache("libcublas.so.13", "/usr/lib64/libcublas.so.13"));
    String wrong = wrong(Map.of());
    assertTrue(wrong.startsWith("wrong major version: it needs "), wrong);
    assertTrue(wrong.contains("libcublas.so.12 (found libcublas.so.13)"), wrong);
    assertTrue(wrong.contains("install CUDA 12"), wrong);
  }

  @Test
  void folderThatTheLoaderDoesNotSearchIsNamed() throws IOException {
    cuda("usr/local/cuda-12.8/lib64", 12);
    Path folder = root.resolve("usr/local/cuda-12.8/lib64");
    assertTrue(wrong(Map.of()).endsWith("; add " + folder + " to LD_LIBRARY_PATH"));
    assertEquals(
        "nothing", wrong(Map.of("LD_LIBRARY_PATH", "/nowhere:/usr/local/cuda-12.8/lib64")));
  }

  @Test
  void loaderCacheIsSearched() throws IOException {
    cuda("opt/cuda", 12);
    ElfBytes.write(
        root.resolve("etc/ld.so.cache"),
        ElfBytes.loaderCache(
            "libcublas.so.12", "/opt/cuda/libcublas.so.12",
            "libcublasLt.so.12", "/opt/cuda/libcublasLt.so.12",
            "libcudart.so.12", "/opt/cuda/libcudart.so.12"));
    assertEquals("nothing", wrong(Map.of()));
  }

  @Test
  void librariesAtTheProvidersOwnPathAreFound() throws IOException {
    ElfBytes.write(
        provider(NativeArtifact.CUDA),
        ElfBytes.library(ElfBytes.X86_64, List.of(NEEDED), "$ORIGIN/../opt"));
    cuda("opt", 12);
    assertEquals("nothing", wrong(Map.of()));
  }

  @Test
  void librariesForAnotherProcessorOrBrokenOnesDoNotCount() throws IOException {
    cuda("usr/lib64", 12);
    ElfBytes.write(
        root.resolve("usr/lib64/libcublas.so.12"),
        ElfBytes.library(ElfBytes.AARCH64, List.of(), ""));
    Files.write(root.resolve("usr/lib64/libcudart.so.12"), new byte[100]);
    assertTrue(
        wrong(Map.of()).startsWith("missing libraries: it needs libcublas.so.12, libcudart.so.12;"),
        wrong(Map.of()));
  }

  @Test
  void whatALibraryNeedsInTurnIsMissedToo() throws IOException {
    cuda("usr/lib64", 12);
    ElfBytes.write(root.resolve("usr/lib64/libcublas.so.12"), "libother.so.1", "libc.so.6");
    assertTrue(wrong(Map.of()).startsWith("missing libraries: it needs libother.so.1;"));
  }

  @Test
  void cudnnIsAskedForWhenWanted() throws IOException {
    cuda("usr/lib64", 12);
    assertEquals(
        Optional.of(
            "missing libraries: it needs libcudnn.so.9; install cuDNN 9, or add their folder to"
                + " LD_LIBRARY_PATH"),
        diagnosis(Map.of()).cuda(true));
    ElfBytes.write(root.resolve("usr/lib64/libcudnn.so.9"), "libc.so.6");
    assertEquals(Optional.empty(), diagnosis(Map.of()).cuda(true));
  }

  @Test
  void tensorRtIsDiagnosedAfterCuda() throws IOException {
    cuda("usr/lib64", 12);
    ElfBytes.write(root.resolve("usr/lib64/libcudnn.so.9"), "libc.so.6");
    String wrong = diagnosis(Map.of()).tensorRt().orElseThrow();
    assertTrue(wrong.contains("libnvinfer.so.10; install TensorRT 10"), wrong);
  }

  @Test
  void driverTooOldForCuda() throws IOException {
    cuda("usr/lib64", 12);
    driver("470.82.01");
    String wrong = wrong(Map.of());
    assertTrue(wrong.startsWith("the NVIDIA driver 470.82.01 is too old for CUDA 12: "), wrong);
    assertTrue(wrong.endsWith("needs 525 or newer"), wrong);
  }

  @Test
  void brokenProviderLibraryIsAReasonNotACrash() throws IOException {
    Files.write(provider(NativeArtifact.CUDA), new byte[10]);
    assertTrue(wrong(Map.of()).startsWith("its provider library cannot be used: "));
  }

  @Test
  void windowsLooksOnThePath() throws IOException {
    Path bin = root.resolve("bin");
    ElfBytes.write(natives.resolve("onnxruntime_providers_cuda.dll"));
    Machine machine = new Machine(root, Map.of("Path", bin.toString()), new Platform("win", "x64"));
    CudaDiagnosis diagnosis = new CudaDiagnosis(machine, diagnosis(Map.of()).natives());
    assertEquals("no NVIDIA driver is here: no nvcuda.dll", diagnosis.cuda(true).orElseThrow());
    for (String name : List.of("nvcuda", "cublas64_12", "cublasLt64_12", "cudart64_12")) {
      ElfBytes.write(bin.resolve(name + ".dll"));
    }
    assertEquals(
        "missing libraries: it needs cufft64_11.dll, cudnn64_9.dll; install CUDA 12 and cuDNN 9 and"
            + " add their bin folders to PATH",
        diagnosis.cuda(true).orElseThrow());
  }

  @Test
  void brokenLoaderCacheCountsAsEmpty() {
    byte[] sound = ElfBytes.loaderCache("liba.so.1", "/lib/liba.so.1");
    assertEquals(Map.of("liba.so.1", List.of("/lib/liba.so.1")), LoaderCache.parse(sound));
    for (int length = 0; length < sound.length; length++) {
      LoaderCache.parse(java.util.Arrays.copyOf(sound, length));
    }
    byte[] many = sound.clone();
    many[20] = -1;
    many[23] = 127;
    assertEquals(Map.of(), LoaderCache.parse(many));
    byte[] wild = sound.clone();
    wild[48 + 7] = -1;
    assertEquals(Map.of(), LoaderCache.parse(wild));
  }
}
