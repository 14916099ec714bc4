/**
 * The only package that touches ONNX Runtime: sessions, their signatures, and bindings that reuse
 * one set of tensors for all steps of a generation. No type of ONNX Runtime appears in a signature
 * here.
 */
package io.github.diffusion4j.onnx;
