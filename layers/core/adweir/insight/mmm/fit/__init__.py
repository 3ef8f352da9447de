"""What advertising brings: a media-mix model, fitted with numpy alone. `frame` goes in, `outcome` comes out."""
