using System.Runtime.InteropServices;
using System.Text;

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

    /// <summary>The table of a loaded library, by the loader's handle.</summary>
    public static ImportTable Of(nint library) => new((LinkMap*)SystemLibrary.LinkMapOf(library));

    /// <summary>
    /// The slots for a function, or null where the library has none. There may be two: one it calls through and one from which it takes the
    /// function's address, or calls it in code that was compiled otherwise; a large library has a million of that kind, and calls alone are
    /// found faster.
    /// </summary>
    public Slots? Find(string function, bool callsAlone = false)
    {
        var found = Find(function, CallRelocations, CallRelocationBytes);
        if (!callsAlone) found.AddRange(Find(function, Relocations, RelocationBytes));
        return found.Count > 0 ? new Slots(found) : null;
    }

    private List<nint> Find(string function, long table, long bytes)
    {
        var found = new List<nint>();
        if (!_dynamic.ContainsKey(table)) return found;
        var relocations = (Relocation*)Address(table);
        var names = (byte*)Address(StringTable);
        var searched = Encoding.UTF8.GetBytes(function);
        for (var i = 0; i < _dynamic[bytes] / sizeof(Relocation); i++)
        {
            if ((uint)relocations[i].Info is not (DataSlot or CallSlot)) continue;
            var symbol = (uint*)(Address(SymbolTable) + (nint)(24 * (relocations[i].Info >> 32)));
            // Tens of thousands in libtorch: no text is made of them.
            var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(names + symbol[0]);
            if (name.SequenceEqual(searched)) found.Add(_base + relocations[i].Offset);
        }

        return found;
    }

    // The loader has made most of these absolute.
    private nint Address(long key) => _dynamic[key] < _base ? _base + _dynamic[key] : _dynamic[key];

    /// <summary>Where a library keeps the address of a function of another.</summary>
    public sealed class Slots(IReadOnlyList<nint> addresses)
    {
        /// <summary>What each holds.</summary>
        public IReadOnlyList<nint> Values => [.. addresses.Select(address => *(nint*)address)];

        /// <summary>Makes the library use another function of the same signature.</summary>
        public void Redirect(nint function)
        {
            foreach (var address in addresses)
            {
                SystemLibrary.MakeWritable(address, sizeof(nint));
                *(nint*)address = function;
            }
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
