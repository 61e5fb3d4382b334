using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Where libtorch comes from and how it gets into the process: LIBTORCH=FOLDER (the torch/lib of an installed PyTorch), or else the one
/// that came with this program. TorchSharp's own bridge always is. In the second case nothing is loaded before the first tensor.
/// </summary>
internal static class EngineLibraries
{
    public const string Bridge = "LibTorchSharp";
    private const string FolderVariable = "LIBTORCH";
    private const string Allocating = "libc10.so";
    private const string Core = "libtorch_cpu.so";

    private static readonly string s_installed =
        $"set {FolderVariable} to the torch/lib of an installed PyTorch {string.Join(", ", TorchVersion.Fitting)}";

    /// <summary>In the order they need each other; what ends in '?' only where the folder has it.</summary>
    private static readonly string[] s_torch = [Allocating, Core, "libc10_cuda.so?", "libtorch_cuda.so?", "libtorch.so"];

    private static readonly Lazy<nint> s_bridge = new(Load);

    private static TorchConfiguration? s_configuration;

    private static readonly string? s_named = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named : null;

    /// <summary>Where libtorch is taken from.</summary>
    public static string Folder { get; } = s_named is null ? FolderOf(Core)
        : Directory.Exists(Path.Combine(s_named, "lib")) ? Path.GetFullPath("lib", Path.GetFullPath(s_named)) : Path.GetFullPath(s_named);

    /// <summary>What the loaded libtorch says of itself; loads it.</summary>
    /// <exception cref="EngineException">A library is missing or does not fit.</exception>
    public static TorchConfiguration Configuration
    {
        get
        {
            EnsureLoaded();
            return s_configuration!;
        }
    }

    /// <summary>libtorch_cpu, for what it exports and TorchSharp does not pass on.</summary>
    public static nint TorchCpu { get; private set; }

    /// <summary>Answers for TorchSharp when the runtime looks for its native libraries.</summary>
    public static void Register()
    {
        OpenMp.ChooseWaiting();
        NativeLibrary.SetDllImportResolver(typeof(EngineLibraries).Assembly, Resolve);
        // At its first use TorchSharp tries to load its bridge by name. Where the system refuses that, this event is the last resort.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == Bridge ? s_bridge.Value : 0;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Serve(loaded.LoadedAssembly);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies()) Serve(assembly);
    }

    /// <summary>The file with the name of a part of libtorch in the folder the user named; null for other names.</summary>
    public static string? Named(string file) =>
        s_named is not null && s_torch.Any(entry => entry.TrimEnd('?') == file) ? Path.Combine(Folder, file) : null;

    /// <summary>Loads now what else the first tensor loads.</summary>
    /// <exception cref="EngineException">A library is missing or does not fit.</exception>
    public static void EnsureLoaded() => _ = s_bridge.Value;

    /// <summary>The address of what libtorch_cpu, or a library it needs, exports under a mangled name.</summary>
    public static nint TorchExport(string symbol)
    {
        EnsureLoaded();
        return NativeLibrary.GetExport(TorchCpu, symbol);
    }

    private static void Serve(Assembly assembly)
    {
        if (assembly.GetName().Name != "TorchSharp") return;
        NativeLibrary.SetDllImportResolver(assembly, Resolve);
        if (s_named is null) return;
        try
        {
            // Before any code of TorchSharp runs.
            EnsureLoaded();
            SecondLibTorch.KeepOut(assembly);
        }
        catch (EngineException)
        {
            // Said to whoever asks for the engine; an event of the runtime is nobody's caller.
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Bridge ? s_bridge.Value : 0;

    private static nint Load()
    {
        if (s_named is not null && !Directory.Exists(Folder)) throw EngineException.NoFolder(Folder, s_installed);
        foreach (var entry in s_torch)
        {
            var file = Path.Combine(Folder, entry.TrimEnd('?'));
            if (entry.EndsWith('?') && !File.Exists(file)) continue;
            var handle = Open(file);
            if (entry == Allocating) TensorAllocator.Serve(handle);
            if (entry != Core) continue;
            TorchCpu = handle;
            MatrixKernels.Choose(handle);
            s_configuration = TorchConfiguration.Read();
            TorchVersion.Require(s_configuration.Version, Folder);
        }

        return OpenBridge();
    }

    private static nint Open(string file)
    {
        if (!File.Exists(file))
        {
            throw EngineException.NoLibrary(
                file, s_named is null ? $"{s_installed}, or build this program with a libtorch (-p:Torch=cpu)" : s_installed);
        }

        return SystemLibrary.Open(file, out var handle, out var reason) ? handle : throw EngineException.CannotLoad(file, reason);
    }

    private static nint OpenBridge()
    {
        const string name = $"lib{Bridge}.so";
        var file = Path.Combine(FolderOf(name), name);
        if (!File.Exists(file)) throw EngineException.NoLibrary(file, "build or unpack this program again");
        if (SystemLibrary.Open(file, out var handle, out var reason)) return handle;
        return SymbolVersions.TryOpenRelaxed(file, reason, out handle) ? handle : throw EngineException.CannotLoad(file, reason);
    }

    /// <summary>The folder of this program that has a native library: the runtime knows where packages put theirs.</summary>
    private static string FolderOf(string library) =>
        ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .FirstOrDefault(folder => File.Exists(Path.Combine(folder, library))) ?? AppContext.BaseDirectory;
}

/// <summary>Which versions of libtorch TorchSharp's bridge fits. It was built for 2.10; tensors are laid out anew in 2.13.</summary>
internal static class TorchVersion
{
    /// <summary>Their beginnings.</summary>
    public static IReadOnlyList<string> Fitting { get; } = ["2.10", "2.11", "2.12"];

    /// <summary>Refuses a version that does not fit.</summary>
    /// <param name="found">Such as 2.11.0, or null where the library does not say.</param>
    /// <param name="folder">Where it lies.</param>
    /// <exception cref="EngineException">Another version, which may load and then compute nonsense.</exception>
    public static void Require(string? found, string folder)
    {
        if (found is null || !Fitting.Any(version => found == version || found.StartsWith(version + ".", StringComparison.Ordinal)))
            throw EngineException.WrongVersion(folder, found ?? "of a version it does not name", Fitting);
    }
}

/// <summary>How OpenMP's threads wait for each other.</summary>
internal static class OpenMp
{
    /// <summary>
    /// Rounds of looking before a waiting thread sleeps. By default libgomp's threads look for ever, and where another program wants the
    /// same cores each waits for one that does not run: passes become 5 to 8 times slower.
    /// </summary>
    private const string SpinCount = "10000";

    /// <summary>Takes effect only before libgomp is loaded. What the user chose stays.</summary>
    public static void ChooseWaiting()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is { Length: > 0 }) return;
        SystemLibrary.SetDefaultVariable("GOMP_SPINCOUNT", SpinCount);
    }
}
