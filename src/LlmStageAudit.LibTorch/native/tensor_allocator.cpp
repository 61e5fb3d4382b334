#include "tensor_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>
#include <c10/util/Exception.h>

#include <cstring>

#include "page_heap.h"

namespace {

// Smaller ones are the C library's: they leave no holes to speak of.
constexpr size_t large_bytes = size_t{64} << 10;

// Before every block, as long as the alignment of tensors asks for.
struct Header {
    size_t bytes;
};
constexpr size_t header_bytes = c10::gAlignment;
static_assert(sizeof(Header) <= header_bytes);

// Never destroyed: tensors may outlive every static object.
PageHeap& pages() {
    static auto* heap = new PageHeap();
    return *heap;
}

void free_block(void* block) {
    if (!block) return;
    auto* header = reinterpret_cast<Header*>(static_cast<char*>(block) - header_bytes);
    if (header->bytes >= large_bytes)
        pages().leave(header, header->bytes);
    else
        c10::free_cpu(header);
}

void* allocate_block(size_t count) {
    if (count == 0) return nullptr;
    const auto bytes = count + header_bytes;
    void* start = bytes >= large_bytes ? pages().take(bytes) : c10::alloc_cpu(bytes);
    TORCH_CHECK(start, "out of memory: a tensor asks for ", count, " bytes");
    static_cast<Header*>(start)->bytes = bytes;
    return static_cast<char*>(start) + header_bytes;
}

class TensorAllocator final : public at::Allocator {
public:
    // libtorch 2.3 took the const away: one of the two is the override.
    at::DataPtr allocate(size_t count) const { return allocated(count); }
    at::DataPtr allocate(size_t count) { return allocated(count); }

    at::DeleterFnPtr raw_deleter() const override { return &free_block; }

    // An override from libtorch 2.3 on.
    void copy_data(void* destination, const void* source, size_t count) const { std::memcpy(destination, source, count); }

private:
    static at::DataPtr allocated(size_t count) {
        auto* block = allocate_block(count);
        return {block, block, &free_block, at::Device(at::DeviceType::CPU)};
    }
};

TensorAllocator allocator;
REGISTER_ALLOCATOR(c10::DeviceType::CPU, &allocator);

}  // namespace

void trim_tensor_allocator() { pages().trim(); }
