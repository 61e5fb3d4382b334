namespace LlmStageAudit.Modeling.Tests.Engine.Operators;

/// <summary>A call of an operator with something that is wrong, or odd.</summary>
/// <param name="Member">As <see cref="TorchUse"/> names it.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Fails">Whether it must end in an exception. Of an odd call it is only demanded that the process lives.</param>
internal sealed record WrongCall(string Member, string What, bool Fails, Action Work)
{
    public override string ToString() => $"{Member}: {What}";
}
