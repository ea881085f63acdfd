"""plan: how sure will a design make us?"""
