// Registers itself as libtorch's allocator on the CPU when the library is loaded: tensors of many pages come from a PageHeap.
#pragma once

// Gives what large tensors have left back to the system.
void trim_tensor_allocator();
