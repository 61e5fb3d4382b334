using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// The functions a loaded library calls in others: the slots through which it does, by name (System V ABI, dynamic section and relocations
/// of x86-64).
/// </summary>
internal sealed unsafe class ImportTable
{
    private const long StringTable = 5, SymbolTable = 6, Relocations = 7, RelocationBytes = 8, CallRelocations = 23, CallRelocationBytes = 2;
    private const uint DataSlot = 6, CallSlot = 7;

    private readonly nint _base;
    private readonly Dictionary<long, nint> _dynamic = [];

    private ImportTable(LinkMap* library)
    {
        _base = library->Base;
        for (var entry = library->Dynamic; entry[0] != 0; entry += 2) _dynamic[entry[0]] = entry[1];
    }

    /// <param name="library">A handle of the loader.</param>
    public static ImportTable Of(nint library) => new((LinkMap*)SystemLibrary.LinkMapOf(library));

    /// <summary>The slot for a function, or null where the library does not call it through one.</summary>
    public Slot? Find(string function) =>
        Find(function, CallRelocations, CallRelocationBytes) ?? Find(function, Relocations, RelocationBytes);

    private Slot? Find(string function, long table, long bytes)
    {
        if (!_dynamic.ContainsKey(table)) return null;
        var relocations = (Relocation*)Address(table);
        for (var i = 0; i < _dynamic[bytes] / sizeof(Relocation); i++)
        {
            if ((uint)relocations[i].Info is not (DataSlot or CallSlot)) continue;
            var symbol = (uint*)(Address(SymbolTable) + (nint)(24 * (relocations[i].Info >> 32)));
            if (Marshal.PtrToStringUTF8(Address(StringTable) + (nint)symbol[0]) == function) return new Slot(_base + relocations[i].Offset);
        }

        return null;
    }

    // The loader has made most of these absolute.
    private nint Address(long key) => _dynamic[key] < _base ? _base + _dynamic[key] : _dynamic[key];

    /// <summary>Where a library keeps the address of a function it calls.</summary>
    public sealed class Slot(nint address)
    {
        public nint Value => *(nint*)address;

        /// <summary>Makes the library call another function of the same signature.</summary>
        public void Redirect(nint function)
        {
            SystemLibrary.MakeWritable(address, sizeof(nint));
            *(nint*)address = function;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct LinkMap
    {
        public readonly nint Base;
        private readonly nint _name;
        public readonly nint* Dynamic;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Relocation
    {
        public readonly nint Offset;
        public readonly ulong Info;
        private readonly nint _addend;
    }
}
