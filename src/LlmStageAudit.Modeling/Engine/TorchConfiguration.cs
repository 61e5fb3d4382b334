using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// What libtorch says of itself (<c>at::show_config()</c>), which TorchSharp does not pass on: its <c>torch.__version__</c> is a constant
/// of its package, whatever library is loaded.
/// </summary>
/// <param name="Text">The whole description, several lines.</param>
internal sealed partial record TorchConfiguration(string Text)
{
    private const string Symbol = "_ZN2at11show_configB5cxx11Ev";

    /// <summary>Of the loaded libtorch; empty where it is so old or so new that it has no such function.</summary>
    public static TorchConfiguration Read() => new(
        NativeLibrary.TryGetExport(EngineLibraries.TorchCpu, Symbol, out var function) ? StringOf(function) : "");

    /// <summary>Such as 2.10.0; null where it is not said.</summary>
    public string? Version => VersionLine().Match(Text) is { Success: true } match ? match.Groups["value"].Value : null;

    /// <summary>The compiler it was built with and, where it has one, the CUDA it uses.</summary>
    public string Build => string.Join(", ", new[] { LineFrom("GCC"), LineFrom("CUDA Runtime") }.OfType<string>());

    /// <summary>The vector instructions in use, such as AVX512.</summary>
    public string? CpuCapability => Line("CPU capability usage:");

    /// <summary>The library of matrix products with its version.</summary>
    public string? Blas => LineFrom("Intel(R) oneAPI Math Kernel Library") ?? LineFrom("Intel(R) MKL")
        ?? (BlasInfo().Match(Text) is { Success: true } match ? match.Groups["value"].Value : null);

    /// <summary>OpenMP and oneDNN with their versions.</summary>
    public string Libraries =>
        string.Join("; ", new[] { LineFrom("OpenMP"), LineFrom("Intel(R) MKL-DNN"), LineFrom("oneDNN") }.OfType<string>());

    private string? Line(string key) => LineFrom(key)?[key.Length..].Trim();

    private string? LineFrom(string start) => Text.Split('\n')
        .Select(line => line.Trim(' ', '-'))
        .FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal));

    // std::string f(): the caller passes where the string is to lie. Pointer, length, and room for short texts; long ones are malloc'ed.
    private static unsafe string StringOf(nint function)
    {
        var text = stackalloc nint[4];
        ((delegate* unmanaged<nint*, nint*>)function)(text);
        var read = Marshal.PtrToStringUTF8(text[0], (int)text[1]);
        if (text[0] != (nint)(text + 2)) SystemLibrary.Free(text[0]);
        return read;
    }

    [GeneratedRegex(@"\bTORCH_VERSION=(?<value>[0-9.]+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"\bBLAS_INFO=(?<value>[^,\s]+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex BlasInfo();
}
