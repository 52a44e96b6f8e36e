namespace EgpuFleet.Silo.Gateway;

/// <summary>The rule of model names: 1 to 128 of <c>A-Z a-z 0-9 . _ : -</c>, starting with a letter or digit.</summary>
public static class ModelNames
{
    public const string Rule = "must have 1 to 128 of A-Z a-z 0-9 . _ : - and start with a letter or digit";

    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= Limits.ModelNameLength }
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-');
}
