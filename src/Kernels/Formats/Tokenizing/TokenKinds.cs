namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>What a token is for. A file gives each token one kind; a role found by a token's name may add another.</summary>
[Flags]
internal enum TokenKinds
{
    None = 0,
    Unknown = 1,
    Normal = 2,

    /// <summary>Marks structure: it has no text of its own and never comes from plain text.</summary>
    Control = 4,

    /// <summary>Found in any text before everything else.</summary>
    UserDefined = 8,
    Unused = 16,

    /// <summary>One byte, written <c>&lt;0xHH&gt;</c>.</summary>
    Byte = 32,
}
