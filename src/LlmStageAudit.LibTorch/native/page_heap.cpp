#include "page_heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace {

// Kept beyond the most that was taken: ranges that nothing fits at the moment need not go where there are few and small ones.
constexpr std::size_t allowance_bytes = std::size_t{16} << 20;

std::size_t whole_pages(std::size_t bytes) {
    static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

}  // namespace

void* PageHeap::take(std::size_t bytes) {
    const auto length = whole_pages(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto shortest = kept_by_length_.lower_bound({length, nullptr});
    if (shortest != kept_by_length_.end()) {
        auto* start = shortest->second;
        const auto found = unkeep(kept_.find(start));
        if (found > length) keep(start + length, found - length);
        count_taken(length);
        return start;
    }

    const auto all = taken_bytes_ + length + kept_bytes_;
    const auto most = std::max(most_taken_bytes_, taken_bytes_ + length) + allowance_bytes;
    if (all > most) release(all - most);
    void* start = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    count_taken(length);
    return start;
}

void PageHeap::leave(void* start, std::size_t bytes) {
    const auto length = whole_pages(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_bytes_ -= length;
    keep(static_cast<char*>(start), length);
}

void PageHeap::trim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    release(kept_bytes_);
    most_taken_bytes_ = taken_bytes_;
}

void PageHeap::count_taken(std::size_t length) {
    taken_bytes_ += length;
    most_taken_bytes_ = std::max(most_taken_bytes_, taken_bytes_);
}

void PageHeap::keep(char* start, std::size_t length) {
    const auto after = kept_.find(start + length);
    if (after != kept_.end()) length += unkeep(after);
    const auto next = kept_.lower_bound(start);
    if (next != kept_.begin()) {
        const auto before = std::prev(next);
        if (before->first + before->second == start) {
            start = before->first;
            length += unkeep(before);
        }
    }

    kept_.emplace(start, length);
    kept_by_length_.emplace(length, start);
    kept_bytes_ += length;
}

std::size_t PageHeap::unkeep(Ranges::iterator range) {
    const auto [start, length] = *range;
    kept_by_length_.erase({length, start});
    kept_.erase(range);
    kept_bytes_ -= length;
    return length;
}

// The shortest ranges first, which fit the fewest tensors; of the last one only its end.
void PageHeap::release(std::size_t bytes) {
    auto left = whole_pages(bytes);
    while (left > 0 && !kept_.empty()) {
        auto* start = kept_by_length_.begin()->second;
        const auto length = unkeep(kept_.find(start));
        const auto released = std::min(length, left);
        munmap(start + (length - released), released);
        if (released < length) keep(start, length - released);
        left -= released;
    }
}
