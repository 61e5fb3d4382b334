using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>A place in compiled code that uses a member of TorchSharp.</summary>
/// <param name="Member">With its parameters' types, such as Tensor.narrow(Int64, Int64, Int64).</param>
/// <param name="User">The outermost type whose code it is.</param>
/// <param name="Before">The instruction before it, with what it names.</param>
/// <param name="After">The instruction after it.</param>
internal sealed record TorchUse(string Member, string User, string Before, string After)
{
    private const string Library = "TorchSharp";

    private static readonly Dictionary<short, OpCode> s_opCodes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>All of an assembly.</summary>
    public static IReadOnlyList<TorchUse> Of(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var uses = new List<TorchUse>();
        foreach (var method in metadata.MethodDefinitions.Select(metadata.GetMethodDefinition)
            .Where(method => method.RelativeVirtualAddress != 0))
        {
            var body = file.GetMethodBody(method.RelativeVirtualAddress).GetILReader();
            var code = Instructions(metadata, body).ToList();
            for (var i = 0; i < code.Count; i++)
            {
                if (code[i].Member is not { } member || !member.StartsWith(Library + ".", StringComparison.Ordinal)) continue;
                uses.Add(new TorchUse(
                    Short(member), Owner(metadata, method.GetDeclaringType()),
                    i > 0 ? $"{code[i - 1].Code} {code[i - 1].Member}" : "", i + 1 < code.Count ? code[i + 1].Code : ""));
            }
        }

        return uses;
    }

    /// <summary>What each method of TorchSharp calls of TorchSharp itself.</summary>
    public static ILookup<string, string> CallsWithin()
    {
        using var file = new PEReader(File.OpenRead(typeof(torch).Assembly.Location));
        var metadata = file.GetMetadataReader();
        return metadata.MethodDefinitions.Where(handle => metadata.GetMethodDefinition(handle).RelativeVirtualAddress != 0)
            .SelectMany(handle => Instructions(metadata, file.GetMethodBody(metadata.GetMethodDefinition(handle).RelativeVirtualAddress).GetILReader())
                .Where(instruction => instruction.Member?.StartsWith(Library + ".", StringComparison.Ordinal) == true)
                .Select(instruction => (Caller: Short(NameOf(metadata, handle)!), Callee: Short(instruction.Member!))))
            .ToLookup(call => call.Caller, call => call.Callee);
    }

    /// <summary>The functions of native libraries that an assembly imports by itself: library/function.</summary>
    public static IReadOnlyList<string> ImportsOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return [.. metadata.MethodDefinitions.Select(handle => metadata.GetMethodDefinition(handle).GetImport())
            .Where(import => !import.Module.IsNil)
            .Select(import => $"{metadata.GetString(metadata.GetModuleReference(import.Module).Name)}/{metadata.GetString(import.Name)}")];
    }

    private static IEnumerable<(string Code, string? Member)> Instructions(MetadataReader metadata, BlobReader code)
    {
        var found = new List<(string, string?)>();
        while (code.RemainingBytes > 0)
        {
            var first = code.ReadByte();
            var instruction = s_opCodes[first == 0xFE ? (short)(0xFE00 | code.ReadByte()) : first];
            string? member = null;
            switch (instruction.OperandType)
            {
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok or OperandType.InlineType:
                    member = NameOf(metadata, MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case var operand:
                    code.Offset += operand switch
                    {
                        OperandType.InlineNone => 0,
                        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                        OperandType.InlineVar => 2,
                        OperandType.InlineI8 or OperandType.InlineR => 8,
                        _ => 4,
                    };
                    break;
            }

            found.Add((instruction.Name!, member));
        }

        return found;
    }

    private static string? NameOf(MetadataReader metadata, EntityHandle token)
    {
        switch (token.Kind)
        {
            case HandleKind.MethodSpecification:
                return NameOf(metadata, metadata.GetMethodSpecification((MethodSpecificationHandle)token).Method);
            case HandleKind.MemberReference:
                var member = metadata.GetMemberReference((MemberReferenceHandle)token);
                var name = metadata.GetString(member.Name);
                var parameters = member.GetKind() == MemberReferenceKind.Field
                    ? "" : $"({string.Join(", ", member.DecodeMethodSignature(TypeNames.Instance, null).ParameterTypes)})";
                return $"{TypeNames.Of(metadata, member.Parent)}.{name}{parameters}";
            case HandleKind.MethodDefinition:
                var method = metadata.GetMethodDefinition((MethodDefinitionHandle)token);
                var types = method.DecodeSignature(TypeNames.Instance, null).ParameterTypes;
                return $"{TypeNames.Of(metadata, method.GetDeclaringType())}.{metadata.GetString(method.Name)}({string.Join(", ", types)})";
            case HandleKind.TypeReference or HandleKind.TypeSpecification:
                return TypeNames.Of(metadata, token);
            default:
                return null;
        }
    }

    private static string Short(string member)
    {
        var name = member[(Library.Length + 1)..];
        foreach (var (full, shorter) in (ReadOnlySpan<(string, string)>)[("torch+Tensor.", "Tensor."), ("torch+Device.", "Device."), ("torch+", "")])
        {
            if (name.StartsWith(full, StringComparison.Ordinal)) return (shorter + name[full.Length..]).Replace('+', '.');
        }

        return name;
    }

    private static string Owner(MetadataReader metadata, TypeDefinitionHandle type)
    {
        var definition = metadata.GetTypeDefinition(type);
        return definition.GetDeclaringType() is { IsNil: false } outer
            ? Owner(metadata, outer) : $"{metadata.GetString(definition.Namespace)}.{metadata.GetString(definition.Name)}";
    }

    private sealed class TypeNames : ISignatureTypeProvider<string, object?>
    {
        public static readonly TypeNames Instance = new();

        public static string Of(MetadataReader metadata, EntityHandle type) => type.Kind switch
        {
            HandleKind.TypeReference => Full(metadata, (TypeReferenceHandle)type),
            HandleKind.TypeDefinition => Full(metadata, metadata.GetTypeDefinition((TypeDefinitionHandle)type)),
            HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)type).DecodeSignature(Instance, null),
            _ => "",
        };

        public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[,]";

        public string GetByReferenceType(string elementType) => elementType + "&";

        public string GetFunctionPointerType(MethodSignature<string> signature) => "function";

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
            genericType == "Nullable" ? typeArguments[0] + "?" : $"{genericType}<{string.Join(", ", typeArguments)}>";

        public string GetGenericMethodParameter(object? genericContext, int index) => $"T{index}";

        public string GetGenericTypeParameter(object? genericContext, int index) => $"T{index}";

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetPinnedType(string elementType) => elementType;

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeDefinition(handle).Name).Split('`')[0];

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeReference(handle).Name).Split('`')[0];

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        private static string Full(MetadataReader metadata, TypeDefinition type)
        {
            var name = metadata.GetString(type.Name);
            return type.GetDeclaringType() is { IsNil: false } outer
                ? $"{Full(metadata, metadata.GetTypeDefinition(outer))}+{name}" : $"{metadata.GetString(type.Namespace)}.{name}";
        }

        private static string Full(MetadataReader metadata, TypeReferenceHandle handle)
        {
            var type = metadata.GetTypeReference(handle);
            var name = metadata.GetString(type.Name);
            return type.ResolutionScope.Kind == HandleKind.TypeReference
                ? $"{Full(metadata, (TypeReferenceHandle)type.ResolutionScope)}+{name}" : $"{metadata.GetString(type.Namespace)}.{name}";
        }
    }
}
