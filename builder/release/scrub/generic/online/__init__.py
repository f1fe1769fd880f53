"""What points at somebody on the net: addresses, links, handles, usernames, TikTok ids."""
