#include "bridge.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include "tensor_allocator.h"

#if !defined(_WIN32)
#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#endif

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

thread_local std::string last_error;
std::atomic<int64_t> live_tensors{0};

TensorHandle wrap(at::Tensor tensor) {
    if (!tensor.defined()) return nullptr;
    auto* handle = new at::Tensor(std::move(tensor));
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    return handle;
}

const at::Tensor& unwrap(TensorHandle handle) { return *static_cast<at::Tensor*>(handle); }

std::vector<at::Tensor> unwrap_all(const TensorHandle* handles, int32_t count) {
    std::vector<at::Tensor> tensors;
    tensors.reserve(count);
    for (int32_t i = 0; i < count; i++) tensors.push_back(handles[i] ? unwrap(handles[i]) : at::Tensor());
    return tensors;
}

template <typename Result, typename Body>
Result guarded(Result failure, Body body) {
    try {
        return body();
    } catch (const c10::Error& error) {
        last_error = error.what_without_backtrace();
    } catch (const std::exception& error) {
        last_error = error.what();
    } catch (...) {
        last_error = "unknown native error";
    }
    return failure;
}

// What follows a key in libtorch's description of itself, up to the line's end.
std::string after(const std::string& text, const std::string& key) {
    const auto at = text.find(key);
    if (at == std::string::npos) return "";
    const auto start = at + key.size();
    return text.substr(start, text.find('\n', start) - start);
}

void describe_blas(std::ostream& lines) {
#if !defined(_WIN32)
    Dl_info found;
    void* multiply = dlsym(RTLD_DEFAULT, "sgemm_");
    if (multiply && dladdr(multiply, &found) && found.dli_fname) {
        char* path = realpath(found.dli_fname, nullptr);
        lines << "blas=" << (path ? path : found.dli_fname) << '\n';
        std::free(path);
    }

    if (auto* config = reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_config"))) lines << "openblas=" << config() << '\n';
    if (auto* core = reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_corename"))) lines << "openblas_core=" << core() << '\n';
    if (auto* threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"))) {
        lines << "openblas_threads=" << threads() << '\n';
    }
#endif
}

c10::IValue to_ivalue(const Value& value, const c10::Argument& argument) {
    switch (value.tag) {
        case TagNone: return c10::IValue();
        case TagTensor: return c10::IValue(unwrap(reinterpret_cast<TensorHandle>(value.bits)));
        case TagInt: return c10::IValue(value.bits);
        case TagDouble: {
            double number;
            std::memcpy(&number, &value.bits, sizeof number);
            return c10::IValue(number);
        }
        case TagBool: return c10::IValue(value.bits != 0);
        case TagIntList: {
            const auto* items = reinterpret_cast<const int64_t*>(value.bits);
            return c10::IValue(std::vector<int64_t>(items, items + value.length));
        }
        case TagTensorList:
            return c10::IValue(unwrap_all(reinterpret_cast<const TensorHandle*>(value.bits), value.length));
        case TagString: return c10::IValue(std::string(reinterpret_cast<const char*>(value.bits), value.length));
        case TagDevice:
            return c10::IValue(c10::Device(std::string(reinterpret_cast<const char*>(value.bits), value.length)));
        case TagDefault: {
            const auto& fallback = argument.default_value();
            TORCH_CHECK(fallback.has_value(), "argument '", argument.name(), "' has no default");
            return *fallback;
        }
        default: TORCH_CHECK(false, "unknown value tag ", value.tag);
    }
}

void append(const c10::IValue& value, std::vector<Value>& results) {
    if (value.isTensor()) {
        results.push_back({TagTensor, 0, reinterpret_cast<int64_t>(wrap(value.toTensor()))});
    } else if (value.isTensorList()) {
        for (const at::Tensor& item : value.toTensorVector()) append(c10::IValue(item), results);
    } else if (value.isInt()) {
        results.push_back({TagInt, 0, value.toInt()});
    } else if (value.isDouble()) {
        const double number = value.toDouble();
        int64_t bits;
        std::memcpy(&bits, &number, sizeof bits);
        results.push_back({TagDouble, 0, bits});
    } else if (value.isBool()) {
        results.push_back({TagBool, 0, value.toBool() ? 1 : 0});
    } else if (value.isNone()) {
        results.push_back({TagNone, 0, 0});
    } else {
        TORCH_CHECK(false, "the operator returns a ", value.tagKind(), ", which the bridge does not carry");
    }
}

}  // namespace

const char* llmstageaudit_last_error() { return last_error.c_str(); }

const char* llmstageaudit_torch_version() { return TORCH_VERSION; }

OperatorHandle llmstageaudit_operator_find(const char* name, const char* overload) {
    return guarded<OperatorHandle>(nullptr, [&] {
        return new c10::OperatorHandle(c10::Dispatcher::singleton().findSchemaOrThrow(name, overload));
    });
}

int32_t llmstageaudit_operator_call(OperatorHandle op, const Value* arguments, int32_t argument_count, Value* results,
                                    int32_t result_capacity) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        const auto& handle = *static_cast<c10::OperatorHandle*>(op);
        const auto& formal = handle.schema().arguments();
        TORCH_CHECK(static_cast<size_t>(argument_count) <= formal.size(), "takes ", formal.size(), " arguments, got ",
                    argument_count);
        torch::jit::Stack stack;
        stack.reserve(formal.size());
        for (size_t i = 0; i < formal.size(); i++) {
            const Value missing{TagDefault, 0, 0};
            stack.push_back(to_ivalue(i < static_cast<size_t>(argument_count) ? arguments[i] : missing, formal[i]));
        }
        handle.callBoxed(&stack);
        std::vector<Value> collected;
        for (const auto& value : stack) append(value, collected);
        if (collected.size() > static_cast<size_t>(result_capacity)) {
            for (const auto& value : collected)
                if (value.tag == TagTensor) llmstageaudit_tensor_free(reinterpret_cast<TensorHandle>(value.bits));
            TORCH_CHECK(false, "returned ", collected.size(), " values, room for ", result_capacity);
        }
        std::copy(collected.begin(), collected.end(), results);
        return static_cast<int32_t>(collected.size());
    });
}

int32_t llmstageaudit_grad(const TensorHandle* outputs, int32_t output_count, const TensorHandle* inputs,
                           int32_t input_count, const TensorHandle* grad_outputs, int32_t retain_graph,
                           int32_t create_graph, int32_t allow_unused, TensorHandle* results) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        const auto gradients = torch::autograd::grad(
            unwrap_all(outputs, output_count), unwrap_all(inputs, input_count),
            grad_outputs ? unwrap_all(grad_outputs, output_count) : std::vector<at::Tensor>(), retain_graph != 0,
            create_graph != 0, allow_unused != 0);
        for (int32_t i = 0; i < input_count; i++) results[i] = wrap(gradients[i]);
        return 0;
    });
}

TensorHandle llmstageaudit_tensor_from_memory(const void* data, const int64_t* shape, int32_t rank,
                                              int32_t scalar_type, int32_t copy) {
    return guarded<TensorHandle>(nullptr, [&] {
        const auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(scalar_type));
        auto tensor = at::from_blob(const_cast<void*>(data), at::IntArrayRef(shape, rank), options);
        return wrap(copy ? tensor.clone() : tensor);
    });
}

int32_t llmstageaudit_tensor_to_memory(TensorHandle tensor, void* data, int64_t size_bytes) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        const auto host = unwrap(tensor).detach().to(at::kCPU).contiguous();
        const auto found = static_cast<int64_t>(host.nbytes());
        TORCH_CHECK(found == size_bytes, "the tensor holds ", found, " bytes, the destination ", size_bytes);
        std::memcpy(data, host.data_ptr(), host.nbytes());
        return 0;
    });
}

void llmstageaudit_tensor_free(TensorHandle tensor) {
    if (!tensor) return;
    delete static_cast<at::Tensor*>(tensor);
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
}

int64_t llmstageaudit_tensor_live_count() { return live_tensors.load(std::memory_order_relaxed); }

int32_t llmstageaudit_tensor_rank(TensorHandle tensor) { return static_cast<int32_t>(unwrap(tensor).dim()); }

int32_t llmstageaudit_tensor_shape(TensorHandle tensor, int64_t* shape, int32_t capacity) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        const auto sizes = unwrap(tensor).sizes();
        TORCH_CHECK(sizes.size() <= static_cast<size_t>(capacity), "rank ", sizes.size(), ", room for ", capacity);
        std::copy(sizes.begin(), sizes.end(), shape);
        return static_cast<int32_t>(sizes.size());
    });
}

int32_t llmstageaudit_tensor_scalar_type(TensorHandle tensor) {
    return static_cast<int32_t>(unwrap(tensor).scalar_type());
}

int32_t llmstageaudit_tensor_device(TensorHandle tensor, char* text, int32_t capacity) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        const auto name = unwrap(tensor).device().str();
        TORCH_CHECK(name.size() + 1 <= static_cast<size_t>(capacity), "device name '", name, "' is too long");
        std::memcpy(text, name.c_str(), name.size() + 1);
        return 0;
    });
}

int32_t llmstageaudit_tensor_requires_grad(TensorHandle tensor) { return unwrap(tensor).requires_grad() ? 1 : 0; }

int32_t llmstageaudit_tensor_set_requires_grad(TensorHandle tensor, int32_t value) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        unwrap(tensor).set_requires_grad(value != 0);
        return 0;
    });
}

const char* llmstageaudit_configuration() {
    thread_local std::string text;
    return guarded<const char*>(nullptr, [&] {
        std::ostringstream lines;
        lines << "capability=" << after(at::show_config(), "CPU capability usage: ") << '\n'
              << "openmp=" << at::get_openmp_version() << '\n'
              << "mkl=" << at::get_mkl_version() << '\n'
              << "mkldnn=" << at::get_mkldnn_version() << '\n'
              << "interop=" << at::get_num_interop_threads() << '\n'
              << "deterministic=" << (at::globalContext().deterministicAlgorithms() ? 1 : 0) << '\n';
        describe_blas(lines);
        text = lines.str();
        return text.c_str();
    });
}

int32_t llmstageaudit_grad_mode() { return c10::GradMode::is_enabled() ? 1 : 0; }

void llmstageaudit_set_grad_mode(int32_t enabled) { c10::GradMode::set_enabled(enabled != 0); }

int32_t llmstageaudit_manual_seed(uint64_t seed) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        at::manual_seed(seed);
        return 0;
    });
}

int32_t llmstageaudit_threads() { return at::get_num_threads(); }

void llmstageaudit_trim_memory() {
    trim_tensor_allocator();
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int32_t llmstageaudit_set_threads(int32_t count) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        at::set_num_threads(count);
#if !defined(_WIN32)
        // An OpenBLAS with threads of its own knows nothing of libtorch's.
        if (auto* set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(count);
#endif
        return 0;
    });
}

int32_t llmstageaudit_set_deterministic(int32_t enabled) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        // cuBLAS is deterministic with a fixed workspace only, and reads this when it starts; a value the user set stays.
        if (enabled != 0) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
        at::globalContext().setDeterministicAlgorithms(enabled != 0, false);
        return 0;
    });
}

int32_t llmstageaudit_cuda_device_count() {
    return guarded<int32_t>(0, [] { return static_cast<int32_t>(torch::cuda::device_count()); });
}

int32_t llmstageaudit_cuda_synchronize(int32_t device_index) {
    return guarded<int32_t>(-1, [&]() -> int32_t {
        torch::cuda::synchronize(device_index);
        return 0;
    });
}
