// Whole pages for large tensors. What a tensor leaves is kept for the next ones, of whatever size: ranges are split, and joined with
// their neighbours. Before fresh pages are mapped, kept ones go back to the system until what is taken and what is kept together stay
// within the most that was ever taken at one time and a small allowance. So the peak of resident memory is that of the tensors, the same
// in every run, and the system seldom has to clear pages.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

class PageHeap {
public:
    // At least so many bytes, on a page boundary, with whatever they held before; null where the system has no more.
    void* take(std::size_t bytes);
    // What take returned for as many bytes.
    void leave(void* start, std::size_t bytes);
    // Gives all that is kept back to the system; the most taken begins anew at what is taken now.
    void trim();

private:
    using Ranges = std::map<char*, std::size_t>;

    void keep(char* start, std::size_t length);
    std::size_t unkeep(Ranges::iterator range);
    void release(std::size_t bytes);
    void count_taken(std::size_t length);

    std::mutex mutex_;
    Ranges kept_;
    std::set<std::pair<std::size_t, char*>> kept_by_length_;
    std::size_t kept_bytes_ = 0;
    std::size_t taken_bytes_ = 0;
    std::size_t most_taken_bytes_ = 0;
};
