using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.TestKit;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>The shared test model, and what it must say.</summary>
internal static class Stories
{
    /// <summary>What 199 greedy tokens from BOS alone begin with.</summary>
    public const string Opening = "Once upon a time, there was a little girl named Lily. She loved to play outside";

    public static string File =>
        Path.Combine(RepositoryPaths.Shared ?? "", "models", "stories260K", "stories260K.gguf");

    public static bool IsThere => RepositoryPaths.Shared is not null;

    /// <summary>Skips the test, visibly, where the shared folder is absent.</summary>
    public static void Require() =>
        Assert.SkipWhen(!IsThere, "../shared with the test model is not beside this checkout");

    /// <summary>The model, or one that differs in the last weight: another content, the same size.</summary>
    public static byte[] Bytes(int variant = 0)
    {
        var bytes = System.IO.File.ReadAllBytes(File);
        bytes[^4] ^= (byte)variant;
        return bytes;
    }

    public static ModelRecord Record(byte[] bytes) =>
        new(
            new ModelRef("stories260K", Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length),
            "llama",
            "F32",
            260_000,
            512,
            bytes.Length,
            4096,
            HasChatTemplate: false,
            DateTimeOffset.UnixEpoch
        );
}
