// The C surface between the managed tensor wall and libtorch: every operator goes through the boxed dispatcher, so
// this file does not grow with the operators used. Functions return -1 (or null) on failure; the reason is then
// llmstageaudit_last_error() of the calling thread. Handles are owned by the caller and freed with tensor_free.
#pragma once
#include <cstdint>

#if defined(_WIN32)
#define BRIDGE_EXPORT extern "C" __declspec(dllexport)
#else
#define BRIDGE_EXPORT extern "C" __attribute__((visibility("default")))
#endif

// Order and values are mirrored by ValueTag in Native.cs.
enum ValueTag : int32_t {
    TagNone = 0,
    TagTensor = 1,      // bits: tensor handle
    TagInt = 2,
    TagDouble = 3,      // bits: the double's bits
    TagBool = 4,
    TagIntList = 5,     // bits: const int64_t*, length items
    TagTensorList = 6,  // bits: void* const*, length items
    TagString = 7,      // bits: const char*, length bytes; devices are strings such as "cuda:0"
    TagDevice = 8,
    TagDefault = 9,     // the schema's default
};

struct Value {
    int32_t tag;
    int32_t length;
    int64_t bits;
};

typedef void* TensorHandle;
typedef void* OperatorHandle;

BRIDGE_EXPORT const char* llmstageaudit_last_error();
BRIDGE_EXPORT const char* llmstageaudit_torch_version();
// Lines "key=value" about what decides the last bits of results: capability, openmp, mkl, mkldnn, interop, deterministic; where the
// libraries say so, blas (the file that multiplies), openblas, openblas_core and openblas_threads. Valid until the thread's next call.
BRIDGE_EXPORT const char* llmstageaudit_configuration();

BRIDGE_EXPORT OperatorHandle llmstageaudit_operator_find(const char* name, const char* overload);
// Calls with argument_count values (missing trailing arguments take the schema's defaults). Results are written to
// results (tensor lists flattened); returns their number, or -1, also where result_capacity is too small.
BRIDGE_EXPORT int32_t llmstageaudit_operator_call(OperatorHandle op, const Value* arguments, int32_t argument_count,
                                                  Value* results, int32_t result_capacity);

// results[i] is null where inputs[i] does not take part (only with allow_unused).
BRIDGE_EXPORT int32_t llmstageaudit_grad(const TensorHandle* outputs, int32_t output_count, const TensorHandle* inputs,
                                         int32_t input_count, const TensorHandle* grad_outputs, int32_t retain_graph,
                                         int32_t create_graph, int32_t allow_unused, TensorHandle* results);

BRIDGE_EXPORT TensorHandle llmstageaudit_tensor_from_memory(const void* data, const int64_t* shape, int32_t rank,
                                                            int32_t scalar_type, int32_t copy);
BRIDGE_EXPORT int32_t llmstageaudit_tensor_to_memory(TensorHandle tensor, void* data, int64_t size_bytes);
BRIDGE_EXPORT void llmstageaudit_tensor_free(TensorHandle tensor);
BRIDGE_EXPORT int64_t llmstageaudit_tensor_live_count();
BRIDGE_EXPORT int32_t llmstageaudit_tensor_rank(TensorHandle tensor);
BRIDGE_EXPORT int32_t llmstageaudit_tensor_shape(TensorHandle tensor, int64_t* shape, int32_t capacity);
BRIDGE_EXPORT int32_t llmstageaudit_tensor_scalar_type(TensorHandle tensor);
// "cpu", "cuda:0": written to text, NUL-terminated.
BRIDGE_EXPORT int32_t llmstageaudit_tensor_device(TensorHandle tensor, char* text, int32_t capacity);
BRIDGE_EXPORT int32_t llmstageaudit_tensor_requires_grad(TensorHandle tensor);
BRIDGE_EXPORT int32_t llmstageaudit_tensor_set_requires_grad(TensorHandle tensor, int32_t value);

BRIDGE_EXPORT int32_t llmstageaudit_grad_mode();
BRIDGE_EXPORT void llmstageaudit_set_grad_mode(int32_t enabled);
BRIDGE_EXPORT int32_t llmstageaudit_manual_seed(uint64_t seed);
BRIDGE_EXPORT int32_t llmstageaudit_threads();
BRIDGE_EXPORT int32_t llmstageaudit_set_threads(int32_t count);

// Gives back to the system what tensors have left, and of the C library's heaps what that can give.
BRIDGE_EXPORT void llmstageaudit_trim_memory();
BRIDGE_EXPORT int32_t llmstageaudit_set_deterministic(int32_t enabled);
BRIDGE_EXPORT int32_t llmstageaudit_cuda_device_count();
BRIDGE_EXPORT int32_t llmstageaudit_cuda_synchronize(int32_t device_index);
